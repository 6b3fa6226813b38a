package hawser;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Puts prologues into a class file (JVM specification §4) and leaves the rest as it is. A prologue shifts a method's
 * instructions by a multiple of four, so that jumps, which are relative, and the padding of switches stay; what counts from
 * the method's beginning is shifted along.
 */
final class ClassFile {
    /** From this major version on the verifier wants frames. */
    private static final int WITH_FRAMES = 50;
    private static final int MOST_CODE = 0xffff;

    private final ByteBuffer in;
    private final ConstantPool pool;
    private final int major;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private final DataOutputStream out = new DataOutputStream(body);
    private boolean changed;

    /** Which methods begin with what. */
    interface Prologues {
        /** Null for none. */
        Prologue of(String method, String descriptor);
    }

    private ClassFile(byte[] bytes) throws IOException {
        in = ByteBuffer.wrap(bytes);
        in.position(6);
        major = in.getChar();
        pool = new ConstantPool(in);
    }

    /** Answers null where no method gets a prologue. Throws where the file is not as it should be. */
    static byte[] weave(byte[] bytes, Prologues prologues) throws IOException {
        ClassFile file = new ClassFile(bytes);
        file.writeBody(prologues);
        if (!file.changed) return null;
        ByteArrayOutputStream woven = new ByteArrayOutputStream(bytes.length + 1024);
        DataOutputStream out = new DataOutputStream(woven);
        out.write(bytes, 0, 8);
        file.pool.writeTo(out);
        file.body.writeTo(out);
        return woven.toByteArray();
    }

    private void writeBody(Prologues prologues) throws IOException {
        int start = in.position();
        skip(6); // access, this, super
        skip(2 * in.getChar());
        for (int fields = in.getChar(); fields > 0; fields--) {
            skip(6);
            skipAttributes();
        }
        int methods = in.getChar();
        copyFrom(start);
        for (; methods > 0; methods--) {
            int method = in.position();
            skip(2);
            Prologue prologue = prologues.of(pool.textAt(in.getChar()), pool.textAt(in.getChar()));
            if (prologue == null) {
                skipAttributes();
                copyFrom(method);
            } else writeMethod(method, prologue);
        }
        int rest = in.position();
        in.position(in.limit());
        copyFrom(rest);
    }

    private void writeMethod(int method, Prologue prologue) throws IOException {
        int attributes = in.getChar();
        copyFrom(method);
        for (; attributes > 0; attributes--) {
            int attribute = in.position();
            String name = pool.textAt(in.getChar());
            int length = in.getInt();
            if (!name.equals("Code")) {
                skip(length);
                copyFrom(attribute);
                continue;
            }
            out.write(in.array(), attribute, 2);
            byte[] code = code(prologue.assemble(pool));
            out.writeInt(code.length);
            out.write(code);
            changed = true;
        }
    }

    /** The Code attribute, §4.7.3, without its name and length; the buffer stands at its beginning and is left behind it. */
    private byte[] code(Prologue.Code prologue) throws IOException {
        int by = prologue.bytes.length;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream code = new DataOutputStream(bytes);
        code.writeShort(Math.max(in.getChar(), Prologue.STACK));
        code.writeShort(in.getChar());
        int length = in.getInt();
        if (length + by > MOST_CODE) throw new IOException("no room in the method");
        code.writeInt(length + by);
        code.write(prologue.bytes);
        code.write(in.array(), in.position(), length);
        skip(length);

        int handlers = in.getChar();
        code.writeShort(handlers + 1);
        writeHandler(code, prologue.start, prologue.end, prologue.handler, 0);
        for (; handlers > 0; handlers--) {
            writeHandler(code, in.getChar() + by, in.getChar() + by, in.getChar() + by, in.getChar());
        }
        writeCodeAttributes(code, prologue);
        return bytes.toByteArray();
    }

    private static void writeHandler(DataOutputStream code, int start, int end, int handler, int type) throws IOException {
        code.writeShort(start);
        code.writeShort(end);
        code.writeShort(handler);
        code.writeShort(type);
    }

    private void writeCodeAttributes(DataOutputStream code, Prologue.Code prologue) throws IOException {
        int by = prologue.bytes.length;
        boolean framed = false;
        int kept = 0;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream attributes = new DataOutputStream(bytes);
        for (int left = in.getChar(); left > 0; left--) {
            int nameIndex = in.getChar();
            String name = pool.textAt(nameIndex);
            byte[] content = new byte[in.getInt()];
            in.get(content);
            ByteBuffer table = ByteBuffer.wrap(content);
            byte[] added = new byte[0];
            if (name.equals("StackMapTable")) {
                int count = table.getChar();
                Frames.shift(table, count, by);
                table.putChar(0, (char) (count + Frames.ADDED));
                added = prologue.frames;
                framed = true;
            } else if (name.equals("LineNumberTable")) shiftEach(table, 4, by);
            else if (name.equals("LocalVariableTable") || name.equals("LocalVariableTypeTable")) shiftEach(table, 10, by);
            else continue; // annotations of types, which nobody reads once the class is compiled
            kept++;
            attributes.writeShort(nameIndex);
            attributes.writeInt(content.length + added.length);
            attributes.write(content, 0, 2);
            attributes.write(added);
            attributes.write(content, 2, content.length - 2);
        }
        if (!framed && major >= WITH_FRAMES) {
            kept++;
            attributes.writeShort(pool.text("StackMapTable"));
            attributes.writeInt(2 + prologue.frames.length);
            attributes.writeShort(Frames.ADDED);
            attributes.write(prologue.frames);
        }
        code.writeShort(kept);
        bytes.writeTo(code);
    }

    /** Shifts the start_pc that each entry of a table begins with. */
    private static void shiftEach(ByteBuffer table, int size, int by) {
        int count = table.getChar();
        for (int i = 0, at = 2; i < count; i++, at += size) table.putChar(at, (char) (table.getChar(at) + by));
    }

    private void skipAttributes() {
        for (int attributes = in.getChar(); attributes > 0; attributes--) {
            skip(2);
            skip(in.getInt());
        }
    }

    private void skip(int count) {
        in.position(in.position() + count);
    }

    private void copyFrom(int start) throws IOException {
        out.write(in.array(), start, in.position() - start);
    }
}
