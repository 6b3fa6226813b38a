package hawser;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/** A class file's constant pool (JVM specification §4.4), which can be added to: what is there keeps its index. */
final class ConstantPool {
    private static final int UTF8 = 1, CLASS = 7, STRING = 8, METHOD = 10, INTERFACE_METHOD = 11, NAME_AND_TYPE = 12;

    /** The texts of the class file, by index. */
    private final Map<Integer, String> texts = new HashMap<Integer, String>();
    private final Map<String, Integer> added = new HashMap<String, Integer>();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final DataOutputStream out = new DataOutputStream(bytes);
    private int count;

    /** Reads the pool where the buffer stands, and leaves the buffer behind it. */
    ConstantPool(ByteBuffer in) throws IOException {
        count = in.getChar();
        int start = in.position();
        for (int index = 1; index < count; index++) {
            int tag = in.get();
            if (tag == UTF8) {
                texts.put(index, readText(in));
                continue;
            }
            in.position(in.position() + sizeOf(tag));
            if (tag == 5 || tag == 6) index++; // long and double count twice
        }
        out.write(in.array(), start, in.position() - start);
    }

    private static String readText(ByteBuffer in) throws IOException {
        int length = in.getChar(in.position()) + 2;
        String text = DataInputStream.readUTF(new DataInputStream(new ByteArrayInputStream(in.array(), in.position(), length)));
        in.position(in.position() + length);
        return text;
    }

    private static int sizeOf(int tag) throws IOException {
        switch (tag) {
            case 3: case 4: case 9: case METHOD: case INTERFACE_METHOD: case NAME_AND_TYPE: case 17: case 18:
                return 4;
            case 5: case 6:
                return 8;
            case CLASS: case STRING: case 16: case 19: case 20:
                return 2;
            case 15:
                return 3;
            default:
                throw new IOException("constant of unknown kind " + tag);
        }
    }

    /** The text at an index of the class file. */
    String textAt(int index) {
        return texts.get(index);
    }

    int text(String text) throws IOException {
        Integer known = added.get(text);
        if (known != null) return known;
        out.writeByte(UTF8);
        out.writeUTF(text);
        added.put(text, count);
        return count++;
    }

    /** A class by its internal name, as {@code java/lang/Class}. */
    int type(String name) throws IOException {
        return entry(CLASS, text(name), -1);
    }

    int string(String value) throws IOException {
        return entry(STRING, text(value), -1);
    }

    int method(String type, String name, String descriptor) throws IOException {
        return entry(METHOD, type(type), entry(NAME_AND_TYPE, text(name), text(descriptor)));
    }

    int interfaceMethod(String type, String name, String descriptor) throws IOException {
        return entry(INTERFACE_METHOD, type(type), entry(NAME_AND_TYPE, text(name), text(descriptor)));
    }

    private int entry(int tag, int first, int second) throws IOException {
        String key = "\0" + tag + ' ' + first + ' ' + second; // no text that we add begins so
        Integer known = added.get(key);
        if (known != null) return known;
        out.writeByte(tag);
        out.writeShort(first);
        if (second >= 0) out.writeShort(second);
        added.put(key, count);
        return count++;
    }

    void writeTo(DataOutputStream file) throws IOException {
        if (count > 0xffff) throw new IOException("no room in the constant pool");
        file.writeShort(count);
        bytes.writeTo(file);
    }
}
