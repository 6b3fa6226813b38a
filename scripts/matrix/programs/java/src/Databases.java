import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import redis.clients.jedis.Jedis;

/** Drivers of databases. */
final class Databases {
    private static final String USER = System.getenv("DATABASE_USER");
    private static final String PASSWORD = System.getenv("DATABASE_PASSWORD");

    private Databases() {
    }

    static String mariadb() throws Exception {
        return query("jdbc:mariadb://" + System.getenv("MARIADB_ADDRESS") + "/shop");
    }

    static String mysql() throws Exception {
        return query("jdbc:mysql://" + System.getenv("MARIADB_ADDRESS") + "/shop?useSSL=false");
    }

    static String postgres() throws Exception {
        return query("jdbc:postgresql://" + System.getenv("POSTGRES_ADDRESS") + "/postgres");
    }

    private static String query(String url) throws Exception {
        try (Connection connection = DriverManager.getConnection(url, USER, PASSWORD);
            ResultSet rows = connection.createStatement().executeQuery("SELECT 6 * 7")) {
            rows.next();
            return rows.getString(1);
        }
    }

    static String jedis() {
        Address address = Address.of("REDIS_ADDRESS");
        try (Jedis jedis = new Jedis(address.host, address.port)) {
            jedis.auth(PASSWORD);
            return String.valueOf(jedis.eval("return 6 * 7"));
        }
    }

    static String lettuce() {
        Address address = Address.of("REDIS_ADDRESS");
        RedisURI uri = RedisURI.builder().withHost(address.host).withPort(address.port).withPassword(PASSWORD.toCharArray()).build();
        RedisClient client = RedisClient.create(uri);
        try {
            Long answer = client.connect().sync().eval("return 6 * 7", ScriptOutputType.INTEGER);
            return String.valueOf(answer);
        } finally {
            client.shutdownAsync();
        }
    }
}
