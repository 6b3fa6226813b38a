import type { Environment } from "../platform/proxy_settings.ts";

/**
 * Variables that keep a program from registering itself: Spring Cloud's, Eureka's, Nacos', Consul's, ZooKeeper's, Dubbo's and Spring Boot Admin's own switches.
 * Spring reads two spellings of names with hyphens; both are there, so that neither contradicts the other.
 */
export const noRegistration: Readonly<Record<string, string>> = {
  SPRING_CLOUD_SERVICEREGISTRY_AUTOREGISTRATION_ENABLED: "false",
  SPRING_CLOUD_SERVICE_REGISTRY_AUTO_REGISTRATION_ENABLED: "false",
  EUREKA_CLIENT_REGISTERWITHEUREKA: "false",
  EUREKA_CLIENT_REGISTER_WITH_EUREKA: "false",
  SPRING_CLOUD_NACOS_DISCOVERY_REGISTERENABLED: "false",
  SPRING_CLOUD_NACOS_DISCOVERY_REGISTER_ENABLED: "false",
  SPRING_CLOUD_CONSUL_DISCOVERY_REGISTER: "false",
  SPRING_CLOUD_ZOOKEEPER_DISCOVERY_REGISTER: "false",
  DUBBO_REGISTRY_REGISTER: "false",
  SPRING_BOOT_ADMIN_CLIENT_ENABLED: "false",
};

/** Each registry: the variables that name it, and the services that are one. */
const registries = [
  { title: "Eureka", variable: /^EUREKA_CLIENT_SERVICE_?URL/, service: /(^|-)eureka(-|$)/ },
  { title: "Nacos", variable: /^(SPRING_CLOUD_NACOS_|NACOS_)/, service: /(^|-)nacos(-|$)/ },
  { title: "Consul", variable: /^(SPRING_CLOUD_CONSUL_|CONSUL_(HTTP_ADDR|HOST)$)/, service: /(^|-)consul(-|$)/ },
  { title: "ZooKeeper", variable: /^SPRING_CLOUD_ZOOKEEPER_/, service: undefined },
  { title: "Dubbo", variable: /^DUBBO_REGISTRY_ADDRESS$/, service: undefined },
] as const;

/** The registries that a program seems to know of: by what its variables are called, or by the names of the services around it. */
export function findRegistries(env: Environment, services: readonly string[]): readonly string[] {
  // Settings that only switch it off are none, nor are the variables that any service makes.
  const set = Object.entries(env).filter(([name, value]) =>
    value && value !== "false" && !/_(SERVICE|PORT)(_|$)/.test(name)
  )
    .map(([name]) => name.toUpperCase());
  return registries.filter(({ variable, service }) =>
    set.some((name) => variable.test(name)) || service !== undefined && services.some((name) => service.test(name))
  ).map(({ title }) => title);
}
