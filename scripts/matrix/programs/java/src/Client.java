/** A library as its users use it: asks a server for 6 times 7. */
interface Client {
    String ask() throws Exception;
}
