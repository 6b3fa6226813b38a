import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;

/**
 * What the agent's tests run in a JVM. Each argument is a task, WAY=HOST:PORT; for each it prints the task and what came of it. A
 * connection sends "hello" and prints what it reads.
 */
public final class Client {
    public static void main(String[] tasks) {
        for (String task : tasks) {
            String result;
            try {
                int way = task.indexOf('='), port = task.lastIndexOf(':');
                result = run(task.substring(0, way), task.substring(way + 1, port), Integer.parseInt(task.substring(port + 1)));
            } catch (Throwable failure) {
                result = failure.getClass().getSimpleName();
            }
            System.out.println(task + " " + result);
        }
    }

    private static String run(String way, String host, int port) throws Exception {
        switch (way) {
            case "resolve":
                return Arrays.toString(InetAddress.getAllByName(host));
            case "socket":
                try (Socket socket = new Socket(host, port)) {
                    return talk(socket.getInputStream(), socket.getOutputStream());
                }
            case "peer":
                try (Socket socket = new Socket(host, port)) {
                    return socket.getInetAddress().getHostName();
                }
            case "resolvedSocket":
                try (Socket socket = new Socket(InetAddress.getByName(host), port)) {
                    return talk(socket.getInputStream(), socket.getOutputStream());
                }
            case "channel":
                try (SocketChannel channel = SocketChannel.open(new InetSocketAddress(host, port))) {
                    channel.write(ByteBuffer.wrap("hello".getBytes("US-ASCII")));
                    ByteBuffer answer = ByteBuffer.allocate(5);
                    while (answer.hasRemaining() && channel.read(answer) >= 0);
                    return new String(answer.array(), "US-ASCII");
                }
            case "asynchronous":
                try (AsynchronousSocketChannel channel = AsynchronousSocketChannel.open()) {
                    channel.connect(new InetSocketAddress(host, port)).get();
                    channel.write(ByteBuffer.wrap("hello".getBytes("US-ASCII"))).get();
                    ByteBuffer answer = ByteBuffer.allocate(5);
                    while (answer.hasRemaining() && channel.read(answer).get() >= 0);
                    return new String(answer.array(), "US-ASCII");
                }
            case "url":
                try (InputStream in = new URL("http://" + host + ":" + port + "/").openStream()) {
                    return text(in);
                }
            case "client": // of Java 11 and later, which this file is not compiled for
                Class<?> type = Class.forName("java.net.http.HttpClient");
                Class<?> request = Class.forName("java.net.http.HttpRequest");
                Class<?> handler = Class.forName("java.net.http.HttpResponse$BodyHandler");
                Object get = Class.forName("java.net.http.HttpRequest$Builder").getMethod("build").invoke(
                    request.getMethod("newBuilder", URI.class).invoke(null, URI.create("http://" + host + ":" + port + "/")));
                Object asText = Class.forName("java.net.http.HttpResponse$BodyHandlers").getMethod("ofString").invoke(null);
                Object client = type.getMethod("newHttpClient").invoke(null);
                Object response = type.getMethod("send", request, handler).invoke(client, get, asText);
                return String.valueOf(Class.forName("java.net.http.HttpResponse").getMethod("body").invoke(response));
            case "datagram":
                try (DatagramChannel channel = DatagramChannel.open()) {
                    return channel.connect(new InetSocketAddress(host, port)).getRemoteAddress().toString();
                }
            case "library": // that has Netty's resolver under a name of its own, in a loader that has no other classes
                URL[] path = {Client.class.getProtectionDomain().getCodeSource().getLocation()};
                Class<?> resolver = new URLClassLoader(path, null).loadClass("library.resolver.DefaultHostsFileEntriesResolver");
                Object made = resolver.getConstructor().newInstance();
                return resolver.getMethod("address", String.class, int.class).invoke(made, host, port) + " "
                    + resolver.getMethod("addresses", String.class, int.class).invoke(made, host, port);
            case "cleared": // of all that is not text, as some programs copy their properties
                Properties before = System.getProperties(), texts = new Properties();
                for (String name : before.stringPropertyNames()) texts.setProperty(name, before.getProperty(name));
                System.setProperties(texts);
                try {
                    return run("channel", host, port);
                } finally {
                    System.setProperties(before);
                }
            case "later": // by so many seconds, as the agent sees it
                return age(Long.parseLong(host) * 1_000_000_000L);
            default:
                throw new IllegalArgumentException(way);
        }
    }

    @SuppressWarnings("unchecked")
    private static String age(long nanos) throws Exception {
        Field answers = Class.forName("hawser.FrontDoor").getDeclaredField("ANSWERS");
        Class<?> type = Class.forName("hawser.FrontDoor$Answer");
        Constructor<?> answer = type.getDeclaredConstructor(String.class, long.class);
        Field text = type.getDeclaredField("text"), at = type.getDeclaredField("at");
        answers.setAccessible(true);
        answer.setAccessible(true);
        text.setAccessible(true);
        at.setAccessible(true);
        for (Map.Entry<String, Object> entry : ((Map<String, Object>) answers.get(null)).entrySet()) {
            entry.setValue(answer.newInstance(text.get(entry.getValue()), at.getLong(entry.getValue()) - nanos));
        }
        return "done";
    }

    private static String talk(InputStream in, OutputStream out) throws Exception {
        out.write("hello".getBytes("US-ASCII"));
        byte[] answer = new byte[5];
        for (int count = 0, more; count < 5 && (more = in.read(answer, count, 5 - count)) >= 0; count += more);
        return new String(answer, "US-ASCII");
    }

    private static String text(InputStream in) throws Exception {
        byte[] bytes = new byte[1000];
        int count = 0;
        for (int more; (more = in.read(bytes, count, 1000 - count)) > 0; count += more);
        return new String(bytes, 0, count, "US-ASCII");
    }
}
