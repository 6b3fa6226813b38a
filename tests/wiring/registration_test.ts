import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findRegistries, noRegistration } from "../../src/wiring/registration.ts";

describe("findRegistries", () => {
  it("knows registries by the variables that name them", () => {
    assertEquals(findRegistries({ EUREKA_CLIENT_SERVICEURL_DEFAULTZONE: "http://eureka:8761/eureka" }, []), ["Eureka"]);
    assertEquals(findRegistries({ eureka_client_serviceUrl_defaultZone: "x" }, []), ["Eureka"]);
    assertEquals(findRegistries({ SPRING_CLOUD_NACOS_DISCOVERY_SERVER_ADDR: "nacos:8848" }, []), ["Nacos"]);
    assertEquals(findRegistries({ SPRING_CLOUD_CONSUL_HOST: "consul" }, []), ["Consul"]);
    assertEquals(findRegistries({ DUBBO_REGISTRY_ADDRESS: "zookeeper://zk:2181" }, []), ["Dubbo"]);
  });

  it("knows them by the names of services", () => {
    assertEquals(findRegistries({}, ["nacos-headless", "my-eureka", "consul"]), ["Eureka", "Nacos", "Consul"]);
    assertEquals(findRegistries({}, ["orders", "nacosaurus"]), []);
  });

  it("takes neither a switch that is off nor a service's own variables for one", () => {
    assertEquals(findRegistries(noRegistration, []), []);
    assertEquals(
      findRegistries({ NACOS_SERVICE_HOST: "x", NACOS_PORT: "tcp://x", SPRING_CLOUD_NACOS_DISCOVERY_ENABLED: "" }, []),
      [],
    );
  });
});
