package hawser;

import java.lang.instrument.ClassFileTransformer;
import java.security.ProtectionDomain;

/** Puts the hooks into the few methods through which all names and connections of a JVM go. */
final class Weaver implements ClassFileTransformer {
    private static final String NETTY = "/resolver/DefaultHostsFileEntriesResolver";

    private static final ClassFile.Prologues PROLOGUES = new ClassFile.Prologues() {
        @Override
        public Prologue of(String method, String descriptor) {
            return prologue(method, descriptor);
        }
    };

    /** Whether a class, by its internal name, may have methods for hooks. */
    static boolean isWoven(String name) {
        return name.startsWith("java/net/InetAddress$") // resolvers of 8 to 17 and of 18 and later, nested in it
            || name.equals("sun/nio/ch/Net") // NIO, and from 13 on every socket
            || name.equals("java/net/AbstractPlainSocketImpl") // sockets up to 12
            || name.endsWith("AsynchronousSocketChannelImpl") && name.startsWith("sun/nio/ch/") // has its own connect on Windows
            || name.endsWith(NETTY); // also where a library has Netty under a name of its own
    }

    private static Prologue prologue(String method, String descriptor) {
        switch (method) {
            case "connect":
                boolean net = descriptor.equals("(Ljava/net/ProtocolFamily;Ljava/io/FileDescriptor;Ljava/net/InetAddress;I)I");
                return net ? Prologue.redirect(2, 3) : null;
            case "doConnect":
                return descriptor.equals("(Ljava/net/InetAddress;II)V") ? Prologue.redirect(1, 2) : null;
            case "implConnect":
                return descriptor.startsWith("(Ljava/net/SocketAddress;") ? Prologue.replace(1) : null;
            case "lookupAllHostAddr":
            case "lookupByName":
            case "address":
            case "addresses":
                return descriptor.startsWith("(Ljava/lang/String;") ? answer(descriptor) : null;
            default:
                return null;
        }
    }

    private static Prologue answer(String descriptor) {
        String type = descriptor.substring(descriptor.indexOf(')') + 1);
        boolean array = type.startsWith("[");
        if (!array && !type.startsWith("L")) return null;
        return Prologue.answer(1, array ? type : type.substring(1, type.length() - 1));
    }

    @Override
    public byte[] transform(ClassLoader loader, String name, Class<?> again, ProtectionDomain domain, byte[] bytes) {
        try {
            if (name == null || !isWoven(name)) return null;
            return ClassFile.weave(bytes, PROLOGUES);
        } catch (Throwable failure) {
            Debug.say("class " + name + " stays as it is", failure);
            return null;
        }
    }
}
