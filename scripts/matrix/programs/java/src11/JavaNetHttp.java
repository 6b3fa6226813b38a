import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

final class JavaNetHttp implements Client {
    @Override
    public String ask() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(Address.of("HTTP_ADDRESS").url())).build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
    }
}
