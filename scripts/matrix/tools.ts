import { isolation, type Layer, rewriting, variables } from "./layer.ts";
import type { Program } from "./program.ts";

/** Programs that are clients by themselves, each as a line of shell that writes the answer, and the ways to try. */
const tools: readonly [name: string, line: string, layers: readonly Layer[]][] = [
  ["curl", 'curl -fsS "http://$HTTP_ADDRESS/multiply/6/7"', [variables, rewriting, isolation]],
  ["curl, pod's name", 'curl -fsS "http://$POD_NAME_ADDRESS/multiply/6/7"', [variables, isolation]],
  ["curl, pod's IP", 'curl -fsS "http://$POD_ADDRESS/multiply/6/7"', [variables, isolation]],
  ["wget", 'wget -qO - "http://$HTTP_ADDRESS/multiply/6/7"', [variables, rewriting, isolation]],
  [
    "git",
    'git ls-remote "http://$HTTP_ADDRESS/product.git" main | sed -nE "s/^0*(42)\\t.*/\\1/p"',
    [variables, rewriting, isolation],
  ],
  [
    "psql",
    'PGPASSWORD=$DATABASE_PASSWORD psql -h "${POSTGRES_ADDRESS%:*}" -p "${POSTGRES_ADDRESS##*:}" -U "$DATABASE_USER" -XAtc "SELECT 6 * 7" postgres',
    [variables, rewriting, isolation],
  ],
  [
    "mysql",
    'MYSQL_PWD=$DATABASE_PASSWORD mysql -h "${MARIADB_ADDRESS%:*}" -P "${MARIADB_ADDRESS##*:}" -u "$DATABASE_USER" -NBe "SELECT 6 * 7"',
    [variables, rewriting, isolation],
  ],
  [
    "redis-cli",
    'REDISCLI_AUTH=$DATABASE_PASSWORD redis-cli -h "${REDIS_ADDRESS%:*}" -p "${REDIS_ADDRESS##*:}" eval "return 6 * 7" 0',
    [variables, rewriting, isolation],
  ],
];

/** Programs of everyday use, with a connection of their own. */
export function toolPrograms(): Promise<Program[]> {
  return Promise.resolve(tools.map(([name, line, layers]) => ({
    family: "Tools",
    runtime: "by",
    clients: [name],
    words: () => ["sh", "-c", line],
    answers: "output",
    layers,
    alone: true,
  })));
}
