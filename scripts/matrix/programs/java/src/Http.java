import java.io.InputStream;
import java.net.URL;
import java.time.Duration;
import java.util.Scanner;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.netty.http.client.HttpClient;

/** Clients of HTTP, each as its first example has it. */
final class Http {
    private Http() {
    }

    private static String url() {
        return Address.of("HTTP_ADDRESS").url();
    }

    static String urlConnection() throws Exception {
        try (InputStream body = new URL(url()).openStream(); Scanner scanner = new Scanner(body, "UTF-8")) {
            return scanner.next();
        }
    }

    static String okHttp() throws Exception {
        try (Response response = new OkHttpClient().newCall(new Request.Builder().url(url()).build()).execute()) {
            return response.body().string();
        }
    }

    static String apache() throws Exception {
        try (CloseableHttpClient client = HttpClients.createDefault()) {
            return client.execute(new HttpGet(url()), response -> EntityUtils.toString(response.getEntity()));
        }
    }

    static String apacheAsync() throws Exception {
        try (CloseableHttpAsyncClient client = HttpAsyncClients.createDefault()) {
            client.start();
            SimpleHttpRequest request = SimpleRequestBuilder.get(url()).build();
            return client.execute(request, null).get().getBodyText();
        }
    }

    static String reactorNetty() {
        return HttpClient.create().get().uri(url()).responseContent().aggregate().asString().block(Duration.ofSeconds(12));
    }

    static String webClient() {
        return WebClient.create(url()).get().retrieve().bodyToMono(String.class).block(Duration.ofSeconds(12));
    }
}
