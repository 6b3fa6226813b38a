import type { Issued } from "../practice/certificate_authority.ts";
import { type Manifest, service } from "./manifests.ts";

/** Debian with mariadb-server, postgresql and redis-server. */
export const databaseImage = Deno.env.get("HAWSER_E2E_DATABASES") ?? "localhost/databases:1";

/** Who may do everything in all three, with which password. */
export const databaseUser = { name: "tester", password: "secret" } as const;

const { name: user, password } = databaseUser;

const mariadb = `
cd /tmp
umask 077
printenv TLS_KEY >tls.key
printenv TLS_CERTIFICATE >tls.crt
mariadb-install-db --no-defaults --datadir=/tmp/data --auth-root-authentication-method=normal --skip-test-db
cat >init.sql <<END
CREATE USER ${user} IDENTIFIED BY '${password}';
GRANT ALL ON *.* TO ${user};
CREATE DATABASE shop;
END
exec mariadbd --no-defaults --datadir=/tmp/data --socket=/tmp/socket --init-file=/tmp/init.sql \\
  --ssl-cert=/tmp/tls.crt --ssl-key=/tmp/tls.key`;

const postgres = `
cd /tmp
umask 077
echo ${password} >password
initdb=$(ls /usr/lib/postgresql/*/bin/initdb)
$initdb -D data -U ${user} --pwfile=password -A scram-sha-256 --no-sync
printenv TLS_KEY >data/server.key
printenv TLS_CERTIFICATE >data/server.crt
echo 'host all all all scram-sha-256' >>data/pg_hba.conf
exec \${initdb%initdb}postgres -D data -c listen_addresses=* -c ssl=on -c unix_socket_directories=/tmp -c fsync=off`;

const redis = `exec redis-server --requirepass ${password} --save '' --bind 0.0.0.0`;

/** MariaDB, PostgreSQL and Redis, a pod and a service each, named as here; without a volume. `tls` is for the first two. */
export function databases(tls: Issued): Manifest[] {
  return [
    ...database("mariadb", 3306, mariadb, tls),
    ...database("postgres", 5432, postgres, tls),
    ...database("redis", 6379, redis, tls),
  ];
}

function database(name: string, port: number, script: string, tls: Issued): Manifest[] {
  const container = {
    name,
    image: databaseImage,
    command: ["sh", "-ec", script],
    env: [{ name: "TLS_KEY", value: tls.key }, { name: "TLS_CERTIFICATE", value: tls.certificate }],
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
  };
  const nobody = { runAsUser: 65534, runAsGroup: 65534 }; // PostgreSQL and MariaDB refuse to run as root
  const spec = { terminationGracePeriodSeconds: 0, securityContext: nobody, containers: [container] };
  return [
    { apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app: name } }, spec },
    service(name, { ports: [{ port }] }),
  ];
}
