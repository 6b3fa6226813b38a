package hawser;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;

/**
 * hawser's front door and its two control pages, which tell what belongs to the cluster. Such answers are good as long as the
 * session lives, which may end, and another begin, while the program runs. Takes no locks: programs may look up names from
 * any place.
 */
final class FrontDoor {
    static final InetAddress LOOPBACK = loopback();

    private static final int CONNECT_MILLIS = 1_000;
    /** A lookup may have to ask the API server. */
    private static final int ANSWER_MILLIS = 5_000;
    private static final long SECOND = 1_000_000_000L;
    private static final long KEEP = 10 * SECOND;
    private static final long KEEP_NONE = 2 * SECOND;
    private static final int MOST_BYTES = 4_096;
    private static final int MOST_ANSWERS = 10_000;

    private static final ConcurrentHashMap<String, Answer> ANSWERS = new ConcurrentHashMap<String, Answer>();
    private static volatile int port;
    /** Nobody listened at this time of {@link System#nanoTime}; 0 where somebody did. */
    private static volatile long awaySince;

    private FrontDoor() {}

    /** Answers false where there was one already, as in a run inside a run: the inner one is meant from now on. */
    static boolean open(int ownPort) {
        boolean first = port == 0;
        port = ownPort;
        return first;
    }

    /** The address that stands for a name; null where it is none of the cluster's. */
    static InetAddress addressOf(String name) {
        String answer = ask("GET", "/address?host=" + name.toLowerCase(Locale.ROOT));
        if (answer.isEmpty()) return null;
        String[] parts = answer.split("\\.", -1);
        byte[] address = new byte[parts.length];
        for (int i = 0; i < parts.length; i++) address[i] = (byte) Integer.parseInt(parts[i]);
        try {
            return InetAddress.getByAddress(name, address);
        } catch (UnknownHostException notFour) {
            throw new IllegalArgumentException(answer, notFour);
        }
    }

    /** The port on {@link #LOOPBACK} that leads to a port of an address, given as text; 0 where it is none of the cluster's. */
    static int portTo(String host, int targetPort) {
        String answer = ask("PUT", "/port?host=" + host + "&port=" + targetPort);
        return answer.isEmpty() ? 0 : Integer.parseInt(answer);
    }

    /** What a page says; nothing where it cannot be had. */
    private static String ask(String method, String page) {
        long now = System.nanoTime();
        Answer known = ANSWERS.get(page);
        if (known != null && now - known.at < (known.text.isEmpty() ? KEEP_NONE : KEEP)) return known.text;
        long away = awaySince;
        if (away != 0 && now - away < KEEP_NONE) return "";
        String text = "";
        Socket socket = new Socket(Proxy.NO_PROXY);
        try {
            try {
                socket.connect(new InetSocketAddress(LOOPBACK, port), CONNECT_MILLIS);
                awaySince = 0;
            } catch (IOException nobody) {
                awaySince = System.nanoTime() | 1; // Windows does not refuse at once
                throw nobody;
            }
            text = exchange(socket, method + " " + page);
        } catch (IOException failure) {
            Debug.say("the front door on port " + port + " does not answer", failure);
            if (awaySince != 0) return "";
        } finally {
            try {
                socket.close();
            } catch (IOException closedAnyway) {
                // nothing to keep
            }
        }
        if (ANSWERS.size() >= MOST_ANSWERS) ANSWERS.clear();
        ANSWERS.put(page, new Answer(text, System.nanoTime()));
        return text;
    }

    private static String exchange(Socket socket, String request) throws IOException {
        String head = request + " HTTP/1.1\r\nHost: 127.0.0.1:" + port
            + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        long end = System.nanoTime() + ANSWER_MILLIS * (SECOND / 1_000);
        byte[] bytes = new byte[MOST_BYTES];
        int count = 0;
        InputStream in = socket.getInputStream();
        while (count < bytes.length) {
            long left = (end - System.nanoTime()) / (SECOND / 1_000);
            socket.setSoTimeout((int) Math.max(1, left)); // 0 would be for ever
            int more = in.read(bytes, count, bytes.length - count);
            if (more < 0) throw new EOFException("half an answer");
            count += more;
            String body = bodyOf(new String(bytes, 0, count, StandardCharsets.US_ASCII));
            if (body != null) return body;
        }
        throw new IOException("an answer too long");
    }

    /** The body of a response, RFC 9112; null while it is not there in full. */
    private static String bodyOf(String response) throws IOException {
        int end = response.indexOf("\r\n\r\n");
        if (end < 0) return null;
        String[] head = response.substring(0, end).split("\r\n");
        if (!head[0].startsWith("HTTP/1.1 200")) throw new IOException(head[0]);
        int length = 0;
        for (String line : head) {
            if (line.regionMatches(true, 0, "Content-Length:", 0, 15)) length = Integer.parseInt(line.substring(15).trim());
        }
        String body = response.substring(end + 4);
        return body.length() < length ? null : body.substring(0, length).trim();
    }

    private static InetAddress loopback() {
        try {
            return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        } catch (UnknownHostException notFour) {
            throw new AssertionError(notFour);
        }
    }

    private static final class Answer {
        final String text;
        final long at;

        Answer(String text, long at) {
            this.text = text;
            this.at = at;
        }
    }
}
