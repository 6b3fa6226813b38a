import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;

/** Prints, for each JDBC URL, what a statement prepared on the server makes of two numbers. Arguments: user, password, URLs. */
public class Query {
    public static void main(String[] args) throws Exception {
        for (int at = 2; at < args.length; at++) {
            try (Connection connection = DriverManager.getConnection(args[at], args[0], args[1]);
                    PreparedStatement sum = connection.prepareStatement("SELECT CAST(? AS DECIMAL) + CAST(? AS DECIMAL)")) {
                for (int round = 1; round <= 3; round++) {
                    sum.setInt(1, round);
                    sum.setInt(2, 40);
                    try (ResultSet rows = sum.executeQuery()) {
                        rows.next();
                        System.out.println(rows.getInt(1));
                    }
                }
            }
        }
    }
}
