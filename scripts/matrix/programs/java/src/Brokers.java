import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Brokers give back what they were given. */
final class Brokers {
    private Brokers() {
    }

    static String rabbitmq() throws Exception {
        return roundTrip(new ConnectionFactory());
    }

    static String rabbitmqNio() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.useNio();
        return roundTrip(factory);
    }

    private static String roundTrip(ConnectionFactory factory) throws Exception {
        Address address = Address.of("RABBITMQ_ADDRESS");
        factory.setHost(address.host);
        factory.setPort(address.port);
        try (Connection connection = factory.newConnection(); Channel channel = connection.createChannel()) {
            String queue = channel.queueDeclare().getQueue();
            channel.confirmSelect();
            channel.basicPublish("", queue, null, "42".getBytes(StandardCharsets.US_ASCII));
            channel.waitForConfirmsOrDie(5000);
            GetResponse response = channel.basicGet(queue, true);
            return new String(response.getBody(), StandardCharsets.US_ASCII);
        }
    }

    static String kafka() throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", System.getenv("KAFKA_ADDRESS"));
        RecordMetadata sent;
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            sent = producer.send(new ProducerRecord<>("answers", "42")).get(10, TimeUnit.SECONDS);
        }
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            TopicPartition partition = new TopicPartition("answers", sent.partition());
            consumer.assign(Collections.singleton(partition));
            consumer.seek(partition, sent.offset());
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(10))) return record.value();
            throw new IllegalStateException("the record that was sent does not come back");
        }
    }
}
