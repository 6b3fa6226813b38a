/** Where a server is, as an environment variable has it: HOST:PORT. */
final class Address {
    final String host;
    final int port;

    private Address(String host, int port) {
        this.host = host;
        this.port = port;
    }

    static Address of(String variable) {
        String value = System.getenv(variable);
        int colon = value.lastIndexOf(':');
        return new Address(value.substring(0, colon), Integer.parseInt(value.substring(colon + 1)));
    }

    /** Of the multiplication, on a server that is found by this. */
    String url() {
        return "http://" + host + ":" + port + "/multiply/6/7";
    }
}
