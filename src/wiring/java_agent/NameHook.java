package hawser;

import java.io.BufferedReader;
import java.io.FileReader;
import java.net.InetAddress;
import java.util.Collections;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/**
 * Called first by whatever resolves a name, with the name and the internal name of the type that the caller answers with. Answers an
 * object of that type where the name is the cluster's, else null: then the caller goes on as it always did.
 */
public final class NameHook implements BiFunction<Object, Object, Object> {
    private static final String OWN_NAME = ownName();

    @Override
    public Object apply(Object name, Object type) {
        try {
            InetAddress address = find((String) name);
            return address == null ? null : as((String) type, address);
        } catch (Throwable failure) {
            Debug.say("name " + name, failure);
            return null;
        }
    }

    private static InetAddress find(String name) {
        return mayBeClusters(name) ? FrontDoor.addressOf(name) : null;
    }

    /** Whether it is worth asking: a name of letters, digits, hyphens and underscores, neither an address nor this machine's. */
    private static boolean mayBeClusters(String name) {
        if (name == null || name.isEmpty() || name.length() > 254) return false;
        boolean letters = false;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean letter = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-';
            if (!letter && !(c >= '0' && c <= '9') && c != '.') return false;
            letters |= letter;
        }
        return letters && !name.equalsIgnoreCase("localhost") && !name.equalsIgnoreCase(OWN_NAME);
    }

    private static Object as(String type, InetAddress address) {
        if (type.equals("java/net/InetAddress")) return address;
        if (type.equals("[Ljava/net/InetAddress;")) return new InetAddress[] {address};
        if (type.equals("java/util/List")) return Collections.singletonList(address);
        return type.equals("java/util/stream/Stream") ? Stream.of(address) : null;
    }

    /** This machine's name, which programs resolve at start; empty where it cannot be known without resolving it. */
    private static String ownName() {
        for (String variable : new String[] {"COMPUTERNAME", "HOSTNAME"}) {
            String name = System.getenv(variable);
            if (name != null && !name.isEmpty()) return name;
        }
        try (BufferedReader file = new BufferedReader(new FileReader("/proc/sys/kernel/hostname"))) {
            String name = file.readLine();
            return name == null ? "" : name.trim();
        } catch (Exception notLinux) {
            return "";
        }
    }
}
