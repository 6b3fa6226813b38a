import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Prints what each URL answers. The first argument says who asks: HttpURLConnection, HttpClient, WebSocket or Socket. */
public class Fetch {
    public static void main(String[] args) throws Exception {
        for (int at = 1; at < args.length; at++) {
            URI url = URI.create(args[at]);
            String answer = switch (args[0]) {
                case "HttpURLConnection" -> text(url.toURL().openConnection().getInputStream());
                case "HttpClient" -> client(url);
                case "WebSocket" -> webSocket(url);
                case "Socket" -> socket(url);
                default -> throw new IllegalArgumentException(args[0]);
            };
            System.out.println(answer.strip());
        }
    }

    private static String client(URI url) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(url).build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    private static String webSocket(URI url) throws Exception {
        CompletableFuture<String> answer = new CompletableFuture<>();
        WebSocket.Listener listener = new WebSocket.Listener() {
            private final StringBuilder parts = new StringBuilder();

            @Override
            public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
                parts.append(part);
                if (last) answer.complete(parts.toString());
                socket.request(1);
                return null;
            }

            @Override
            public void onError(WebSocket socket, Throwable error) {
                answer.completeExceptionally(error);
            }
        };
        WebSocket socket = HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(url, listener).get();
        socket.sendText("hello", true).get();
        String text = answer.get();
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get();
        return text;
    }

    private static String socket(URI url) throws Exception {
        try (Socket socket = new Socket(url.getHost(), url.getPort() < 0 ? 80 : url.getPort())) {
            OutputStream out = socket.getOutputStream();
            out.write(("GET / HTTP/1.0\r\nHost: " + url.getAuthority() + "\r\n\r\n").getBytes());
            String answer = text(socket.getInputStream());
            return answer.substring(answer.indexOf("\r\n\r\n"));
        }
    }

    private static String text(InputStream in) throws Exception {
        return new String(in.readAllBytes());
    }
}
