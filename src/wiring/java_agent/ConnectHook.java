package hawser;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.function.BiFunction;

/**
 * Called first by whatever connects, with the {@link InetAddress} and the port, or with a socket address and null. Answers the
 * {@link InetSocketAddress} to connect to instead, or null where the one given is none of the cluster's.
 */
public final class ConnectHook implements BiFunction<Object, Object, Object> {
    /** As deep as a datagram's connect may be below us. */
    private static final int NEAREST_CALLERS = 8;

    @Override
    public Object apply(Object to, Object port) {
        try {
            if (port != null) return redirect((InetAddress) to, (Integer) port);
            if (!(to instanceof InetSocketAddress)) return null;
            InetSocketAddress address = (InetSocketAddress) to;
            return redirect(address.getAddress(), address.getPort());
        } catch (Throwable failure) {
            Debug.say("connection to " + to, failure);
            return null;
        }
    }

    private static InetSocketAddress redirect(InetAddress address, int port) throws UnknownHostException {
        if (address == null || isLocal(address) || isDatagram()) return null;
        String text = address.getHostAddress();
        int zone = text.indexOf('%');
        int instead = FrontDoor.portTo(zone < 0 ? text : text.substring(0, zone), port);
        return instead == 0 ? null : new InetSocketAddress(named(address), instead);
    }

    /** Loopback by the name that the address was resolved from: before Java 13, TLS may take a server's name from the connected socket. */
    private static InetAddress named(InetAddress address) throws UnknownHostException {
        String text = address.toString(); // NAME/ADDRESS; asking for the name might look it up
        int end = text.lastIndexOf('/');
        return end <= 0 ? FrontDoor.LOOPBACK : InetAddress.getByAddress(text.substring(0, end), FrontDoor.LOOPBACK.getAddress());
    }

    private static boolean isLocal(InetAddress address) {
        return address.isLoopbackAddress() || address.isAnyLocalAddress() || address.isLinkLocalAddress()
            || address.isMulticastAddress();
    }

    /** NIO connects datagram sockets by the same method as streams, and nothing it is given tells which of both it is. */
    private static boolean isDatagram() {
        StackTraceElement[] callers = new Throwable().getStackTrace();
        for (int i = 0; i < callers.length && i < NEAREST_CALLERS; i++) {
            if (callers[i].getClassName().equals("sun.nio.ch.DatagramChannelImpl")) return true;
        }
        return false;
    }
}
