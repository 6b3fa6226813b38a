package hawser;

import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;

/** StackMapTable attributes, JVM specification §4.7.4. */
final class Frames {
    /** How many frames a prologue brings. */
    static final int ADDED = 3;

    private static final int ONE_OPERAND = 247, OBJECT = 7, UNINITIALIZED = 8;

    private Frames() {}

    /** same_locals_1_stack_item_frame_extended */
    static void writeOneOperand(DataOutputStream out, int offsetDelta, int type) throws IOException {
        out.writeByte(ONE_OPERAND);
        out.writeShort(offsetDelta);
        out.writeByte(OBJECT);
        out.writeShort(type);
    }

    /**
     * Shifts entries, in place, from the buffer's position on. Each tells its distance to the one before, and the first now
     * follows one on the instruction right before the method's own: all distances stay. Only objects not yet initialized are known by where they
     * were made.
     */
    static void shift(ByteBuffer table, int count, int by) throws IOException {
        for (int i = 0; i < count; i++) {
            int tag = table.get() & 0xff;
            if (tag < 64) continue; // same
            if (tag < 128) { // one operand
                shiftTypes(table, 1, by);
                continue;
            }
            if (tag < ONE_OPERAND) throw new IOException("frame of unknown kind " + tag);
            table.getChar(); // distance
            if (tag == ONE_OPERAND) shiftTypes(table, 1, by);
            else if (tag == 255) { // full: variables, operands
                shiftTypes(table, table.getChar(), by);
                shiftTypes(table, table.getChar(), by);
            } else if (tag > 251) shiftTypes(table, tag - 251, by); // appended; 248 to 251 have none
        }
    }

    private static void shiftTypes(ByteBuffer table, int count, int by) {
        for (int i = 0; i < count; i++) {
            int tag = table.get();
            if (tag == UNINITIALIZED) table.putChar(table.position(), (char) (table.getChar(table.position()) + by));
            if (tag == UNINITIALIZED || tag == OBJECT) table.getChar();
        }
    }
}
