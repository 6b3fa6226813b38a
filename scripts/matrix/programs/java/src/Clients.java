import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs the clients named as arguments, one after another; a line for each: NAME, milliseconds, and the answer or "!" and why there is none. */
public final class Clients {
    private static final int LIMIT_SECONDS = 15;

    private static Map<String, Client> all() {
        Map<String, Client> all = new LinkedHashMap<>();
        all.put("HttpURLConnection", Http::urlConnection);
        all.put("java.net.http", Clients::javaNetHttp);
        all.put("OkHttp", Http::okHttp);
        all.put("Apache HC5", Http::apache);
        all.put("Apache HC5 async", Http::apacheAsync);
        all.put("Netty HTTP", Netty::http);
        all.put("Reactor Netty", Http::reactorNetty);
        all.put("Spring WebClient", Http::webClient);
        all.put("gRPC-java", Grpc::call);
        all.put("MariaDB Connector/J", Databases::mariadb);
        all.put("MySQL Connector/J", Databases::mysql);
        all.put("pgjdbc", Databases::postgres);
        all.put("Jedis", Databases::jedis);
        all.put("Lettuce", Databases::lettuce);
        all.put("RabbitMQ client", Brokers::rabbitmq);
        all.put("RabbitMQ client, NIO", Brokers::rabbitmqNio);
        all.put("Kafka client", Brokers::kafka);
        all.put("NIO, pod's name", () -> Nio.get("POD_NAME_ADDRESS"));
        all.put("NIO, pod's IP", () -> Nio.get("POD_ADDRESS"));
        return all;
    }

    public static void main(String[] names) {
        PrintStream out = System.out;
        System.setOut(System.err);
        Map<String, Client> all = all();
        for (String name : names) {
            FutureTask<String> task = new FutureTask<>(() -> all.get(name).ask());
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            long started = System.nanoTime();
            thread.start();
            String answer;
            try {
                answer = task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                answer = "!no answer within " + LIMIT_SECONDS + " s";
            } catch (Exception e) {
                Throwable cause = e;
                while (cause.getCause() != null) cause = cause.getCause();
                answer = "!" + String.valueOf(cause).replaceAll("\\s+", " ");
            }
            out.println(name + "\t" + (System.nanoTime() - started) / 1000000 + "\t" + answer);
            out.flush();
        }
        // Some libraries leave threads behind.
        System.exit(0);
    }

    /** Compiled for Java 11, where it begins. */
    private static String javaNetHttp() throws Exception {
        return ((Client) Class.forName("JavaNetHttp").getDeclaredConstructor().newInstance()).ask();
    }
}
