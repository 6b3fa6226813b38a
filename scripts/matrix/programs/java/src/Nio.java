import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/** A bare channel, as drivers of their own protocols have it. */
final class Nio {
    private Nio() {
    }

    static String get(String variable) throws Exception {
        Address address = Address.of(variable);
        try (SocketChannel channel = SocketChannel.open(new InetSocketAddress(address.host, address.port))) {
            channel.write(StandardCharsets.US_ASCII.encode("GET /multiply/6/7 HTTP/1.0\r\n\r\n"));
            ByteBuffer buffer = ByteBuffer.allocate(4096);
            while (channel.read(buffer) >= 0);
            String response = new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII);
            return response.substring(response.indexOf("\r\n\r\n") + 4);
        }
    }
}
