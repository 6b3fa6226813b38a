package hawser;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/**
 * Instructions put before those of a method. They call a hook, which is had by its name from the system class loader: that one has
 * this jar, and every class in every module and every loader reaches it by names of java.base alone. In Java, for a connect:
 *
 * <pre>
 *   InetSocketAddress instead;
 *   try {
 *       Class hook = ClassLoader.getSystemClassLoader().loadClass("hawser.ConnectHook");
 *       instead = (InetSocketAddress) ((BiFunction) hook.newInstance()).apply(address, Integer.valueOf(port));
 *   } catch (Throwable failure) {
 *       instead = null;
 *   }
 *   if (instead != null) {
 *       address = instead.getAddress();
 *       port = instead.getPort();
 *   }
 * </pre>
 */
final class Prologue {
    /** Operands that it has on the stack at most. */
    static final int STACK = 3;

    private static final int NOP = 0x00, ACONST_NULL = 0x01, LDC_W = 0x13, ILOAD = 0x15, ALOAD = 0x19, ISTORE = 0x36,
        ASTORE = 0x3a, POP = 0x57, DUP = 0x59, GOTO = 0xa7, ARETURN = 0xb0, INVOKEVIRTUAL = 0xb6, INVOKESTATIC = 0xb8,
        INVOKEINTERFACE = 0xb9, CHECKCAST = 0xc0, IFNULL = 0xc6;
    private static final int GOTO_SIZE = 3, IFNULL_SIZE = 3;
    private static final String REDIRECTED = "java/net/InetSocketAddress";

    private enum Kind { ANSWER, REDIRECT, REPLACE }

    private final Kind kind;
    /** The internal name of what the hook answers with. */
    private final String type;
    /** The local variable that is the hook's first argument. */
    private final int slot;
    private final int portSlot;

    private Prologue(Kind kind, String type, int slot, int portSlot) {
        this.kind = kind;
        this.type = type;
        this.slot = slot;
        this.portSlot = portSlot;
    }

    /** Has {@link NameHook} answer in the method's place. */
    static Prologue answer(int nameSlot, String type) {
        return new Prologue(Kind.ANSWER, type, nameSlot, -1);
    }

    /** Has {@link ConnectHook} change an address and a port. */
    static Prologue redirect(int addressSlot, int portSlot) {
        return new Prologue(Kind.REDIRECT, REDIRECTED, addressSlot, portSlot);
    }

    /** Has {@link ConnectHook} change a socket address. */
    static Prologue replace(int addressSlot) {
        return new Prologue(Kind.REPLACE, REDIRECTED, addressSlot, -1);
    }

    /** Makes the instructions for one class. */
    Code assemble(ConstantPool pool) throws IOException {
        ByteArrayOutputStream call = new ByteArrayOutputStream(), use = new ByteArrayOutputStream();
        writeCall(new DataOutputStream(call), pool);
        writeUse(new DataOutputStream(use), pool);
        int size = call.size() + GOTO_SIZE + 2 + 1 + IFNULL_SIZE + use.size() + 1;
        int start = -size & 3; // switches pad to multiples of four: shifted by such a one they stay as they are

        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        for (int i = 0; i < start; i++) out.writeByte(NOP);
        call.writeTo(out);
        int called = out.size();
        out.writeByte(GOTO);
        out.writeShort(GOTO_SIZE + 2);
        int handler = out.size();
        out.writeByte(POP);
        out.writeByte(ACONST_NULL);
        int join = out.size();
        out.writeByte(DUP);
        out.writeByte(IFNULL);
        out.writeShort(IFNULL_SIZE + use.size());
        use.writeTo(out);
        int proceed = out.size();
        out.writeByte(POP);
        return new Code(bytes.toByteArray(), start, called, handler, frames(pool, handler, join, proceed));
    }

    private void writeCall(DataOutputStream out, ConstantPool pool) throws IOException {
        String hook = kind == Kind.ANSWER ? "hawser.NameHook" : "hawser.ConnectHook";
        instruction(out, INVOKESTATIC, pool.method("java/lang/ClassLoader", "getSystemClassLoader", "()Ljava/lang/ClassLoader;"));
        instruction(out, LDC_W, pool.string(hook));
        instruction(out, INVOKEVIRTUAL, pool.method("java/lang/ClassLoader", "loadClass", "(Ljava/lang/String;)Ljava/lang/Class;"));
        instruction(out, INVOKEVIRTUAL, pool.method("java/lang/Class", "newInstance", "()Ljava/lang/Object;"));
        instruction(out, CHECKCAST, pool.type("java/util/function/BiFunction"));
        variable(out, ALOAD, slot);
        switch (kind) {
            case ANSWER:
                instruction(out, LDC_W, pool.string(type));
                break;
            case REDIRECT:
                variable(out, ILOAD, portSlot);
                instruction(out, INVOKESTATIC, pool.method("java/lang/Integer", "valueOf", "(I)Ljava/lang/Integer;"));
                break;
            case REPLACE:
                out.writeByte(ACONST_NULL);
                break;
        }
        instruction(out, INVOKEINTERFACE, pool.interfaceMethod("java/util/function/BiFunction", "apply",
            "(Ljava/lang/Object;Ljava/lang/Object;)Ljava/lang/Object;"));
        out.writeShort(3 << 8); // three operands, and a zero
        instruction(out, CHECKCAST, pool.type(type));
    }

    /** What is done with an answer that is not null, and on the stack; it may stay there. */
    private void writeUse(DataOutputStream out, ConstantPool pool) throws IOException {
        switch (kind) {
            case ANSWER:
                out.writeByte(ARETURN);
                break;
            case REDIRECT:
                out.writeByte(DUP);
                instruction(out, INVOKEVIRTUAL, pool.method(REDIRECTED, "getAddress", "()Ljava/net/InetAddress;"));
                variable(out, ASTORE, slot);
                out.writeByte(DUP);
                instruction(out, INVOKEVIRTUAL, pool.method(REDIRECTED, "getPort", "()I"));
                variable(out, ISTORE, portSlot);
                break;
            case REPLACE:
                out.writeByte(DUP);
                variable(out, ASTORE, slot);
                break;
        }
    }

    /** Three frames with the method's own arguments and one operand. The frame that follows counts from the last instruction. */
    private byte[] frames(ConstantPool pool, int handler, int join, int proceed) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        Frames.writeOneOperand(out, handler, pool.type("java/lang/Throwable"));
        Frames.writeOneOperand(out, join - handler - 1, pool.type(type));
        Frames.writeOneOperand(out, proceed - join - 1, pool.type(type));
        return bytes.toByteArray();
    }

    private static void instruction(DataOutputStream out, int code, int constant) throws IOException {
        out.writeByte(code);
        out.writeShort(constant);
    }

    private static void variable(DataOutputStream out, int code, int slot) throws IOException {
        out.writeByte(code);
        out.writeByte(slot);
    }

    /** Instructions, a multiple of four bytes, the last of which is one byte long and where a frame stands. */
    static final class Code {
        final byte[] bytes;
        /** What is thrown from {@code start} up to {@code end} goes to {@code handler}. */
        final int start, end, handler;
        /** {@link Frames#ADDED} entries for the beginning of a StackMapTable. */
        final byte[] frames;

        Code(byte[] bytes, int start, int end, int handler, byte[] frames) {
            this.bytes = bytes;
            this.start = start;
            this.end = end;
            this.handler = handler;
            this.frames = frames;
        }
    }
}
