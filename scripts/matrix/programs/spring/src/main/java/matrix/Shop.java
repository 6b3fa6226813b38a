package matrix;

import java.util.Map;
import java.util.concurrent.Callable;
import org.springframework.amqp.rabbit.core.RabbitTemplate;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.autoconfigure.http.HttpMessageConverters;
import org.springframework.cloud.openfeign.EnableFeignClients;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.context.annotation.Bean;
import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.data.redis.core.script.RedisScript;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Answers /answers/NAME with what a server has said through one of Spring's clients, and is a gateway for /gateway. */
@SpringBootApplication
@EnableFeignClients
public class Shop {
    public static void main(String[] args) {
        SpringApplication.run(Shop.class, args);
    }

    /** Feign wants them, and only a servlet application has them by itself. */
    @Bean
    HttpMessageConverters messageConverters() {
        return new HttpMessageConverters();
    }

    /** Found by the load balancer. */
    @FeignClient("echo")
    interface Echo {
        @GetMapping("/multiply/6/7")
        String product();
    }

    @RestController
    static class Answers {
        private final Map<String, Callable<?>> clients;

        Answers(Echo echo, WebClient.Builder web, JdbcTemplate jdbc, StringRedisTemplate redis, RabbitTemplate rabbit) {
            clients = Map.of(
                "feign", echo::product,
                "webclient", () -> web.build().get().uri("http://echo/multiply/6/7").retrieve().bodyToMono(String.class).block(),
                "jdbc", () -> jdbc.queryForObject("SELECT 6 * 7", String.class),
                "redis", () -> redis.execute(RedisScript.of("return tostring(6 * 7)", String.class), java.util.List.of()),
                "amqp", () -> rabbit.execute(channel -> {
                    String queue = channel.queueDeclare().getQueue();
                    channel.basicPublish("", queue, null, "42".getBytes());
                    return new String(channel.basicGet(queue, true).getBody());
                }));
        }

        @GetMapping("/answers/{name}")
        Mono<String> answer(@PathVariable("name") String name) {
            return Mono.<String>fromCallable(() -> String.valueOf(clients.get(name).call())).subscribeOn(Schedulers.boundedElastic());
        }
    }
}
