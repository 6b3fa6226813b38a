import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;

/** HOST PORT SECONDS: new connections per second, one after another, each with one byte there and back. Without arguments: ends at once. */
public final class Connections {
    public static void main(String[] args) throws Exception {
        if (args.length == 0) return;
        // What is slow the first time only is not what is asked.
        for (int i = 0; i < 50; i++) connect(args[0], Integer.parseInt(args[1]));
        long length = Long.parseLong(args[2]) * 1000000000L, started = System.nanoTime();
        int count = 0;
        for (; System.nanoTime() - started < length; count++) connect(args[0], Integer.parseInt(args[1]));
        System.out.println(count * 1e9 / (System.nanoTime() - started));
    }

    private static void connect(String host, int port) throws Exception {
        try (Socket socket = new Socket(host, port)) {
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            out.write("echo\nx".getBytes());
            InputStream in = socket.getInputStream();
            if (in.read() != 'x') throw new IllegalStateException("no echo");
        }
    }
}
