import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { rewriteVariables } from "../../src/wiring/rewrite_variables.ts";

const listenerOf = (host: string, port: number) =>
  host === "mysql" && port === 3306 ? { host: "127.0.0.1", port: 23306 } : undefined;

describe("rewriteVariables", () => {
  it("rewrites addresses in values, and a host with the port that stands beside it", () => {
    assertEquals(
      rewriteVariables({
        URL: "jdbc:mysql://mysql:3306/x",
        DB_HOST: "mysql",
        DB_PORT: "3306",
        "spring.db.host": "mysql",
        "spring.db.port": "3306",
        dbHost: "mysql",
        dbPort: "3306",
        MYSQL_HOSTNAME: "mysql",
        MYSQL_PORT: "3306",
      }, listenerOf),
      {
        URL: "jdbc:mysql://127.0.0.1:23306/x",
        DB_HOST: "127.0.0.1",
        DB_PORT: "23306",
        "spring.db.host": "127.0.0.1",
        "spring.db.port": "23306",
        dbHost: "127.0.0.1",
        dbPort: "23306",
        MYSQL_HOSTNAME: "127.0.0.1",
        MYSQL_PORT: "23306",
      },
    );
  });

  it("leaves a host alone whose port is unknown, and another's port", () => {
    const variables = {
      ...{ DB_HOST: "mysql", OTHER_PORT: "3306" },
      ...{ A_HOST: "mysql", A_PORT: "33060", B_HOST: "mysql", B_PORT: "tcp://x", C_HOST: "stock", C_PORT: "3306" },
      NAME: "mysql",
    };
    assertEquals(rewriteVariables(variables, listenerOf), variables);
  });
});
