package hawser;

/** What nobody sees who has not asked for it, by -Dhawser.debug or HAWSER_DEBUG: the program's stderr is the program's. */
final class Debug {
    private Debug() {}

    static void say(String what, Throwable why) {
        try {
            if (System.getProperty("hawser.debug") == null && System.getenv("HAWSER_DEBUG") == null) return;
            System.err.println("hawser: " + what + (why == null ? "" : ": " + why));
        } catch (Throwable unwritable) {
            // then not
        }
    }
}
