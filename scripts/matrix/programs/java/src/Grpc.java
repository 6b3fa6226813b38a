import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Scanner;

/** A call with text as its messages, so that nothing has to be generated. */
final class Grpc {
    private static final MethodDescriptor.Marshaller<String> TEXT = new MethodDescriptor.Marshaller<String>() {
        @Override
        public InputStream stream(String text) {
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            return new Scanner(stream, "UTF-8").next();
        }
    };

    private Grpc() {
    }

    static String call() {
        Address address = Address.of("GRPC_ADDRESS");
        MethodDescriptor<String, String> multiply = MethodDescriptor.<String, String>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("matrix.Calculator/Multiply")
            .setRequestMarshaller(TEXT)
            .setResponseMarshaller(TEXT)
            .build();
        ManagedChannel channel = ManagedChannelBuilder.forAddress(address.host, address.port).usePlaintext().build();
        try {
            return ClientCalls.blockingUnaryCall(channel, multiply, CallOptions.DEFAULT, "6*7");
        } finally {
            channel.shutdownNow();
        }
    }
}
