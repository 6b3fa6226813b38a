package library.resolver;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** As Netty has one by this name, with code that is hard to put something before: loops, switches, handlers, objects in the making. */
public final class DefaultHostsFileEntriesResolver {
    public InetAddress address(String host, int kind) throws Exception {
        do { // a jump to the first instruction
            kind--;
        } while (kind > 3);
        try {
            switch (kind) {
                case 0: case 1: case 2: case 3:
                    return InetAddress.getByAddress(new String(kind > 1 ? host : "low"), new byte[] {10, 0, 0, (byte) kind});
                default:
                    throw new IllegalStateException(new StringBuilder(kind < -5 ? "far" : "near").append(host).toString());
            }
        } catch (IllegalStateException unknown) {
            return null;
        }
    }

    public List<InetAddress> addresses(String host, int kind) throws Exception {
        List<InetAddress> found = new ArrayList<InetAddress>();
        switch (host) { // by hash: a lookup switch, and one by table
            case "a": case "b": case "c":
                return Collections.emptyList();
            default:
                for (int i = 0; i < kind; i++) found.add(address(host, i));
        }
        return found;
    }

    /** Of the name but not the kind: stays as it is. */
    public int addresses(String host) {
        return host.length();
    }
}
