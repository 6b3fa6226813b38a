import { apply, kubectl } from "./kubectl.ts";

/**
 * Brings the traffic of pods labelled `app: ssh` on port 8080 to a local port as kt-connect does it: an SSH server in a pod, reached by
 * `kubectl port-forward`, with a remote forwarding. Undefined where there is no `ssh` on PATH.
 */
export async function openSshExchange(
  namespace: string,
  image: string,
  localPort: number,
): Promise<{ close: () => Promise<void> } | undefined> {
  const folder = await Deno.makeTempDir();
  const key = `${folder}/key`;
  try {
    await run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key);
  } catch {
    await Deno.remove(folder, { recursive: true });
    return undefined;
  }
  const publicKey = (await Deno.readTextFile(`${key}.pub`)).trim();
  const setUp = [
    "mkdir -p /run/sshd /root/.ssh",
    `echo '${publicKey}' > /root/.ssh/authorized_keys`,
    "ssh-keygen -q -t ed25519 -N '' -f /tmp/host_key",
    "exec /usr/sbin/sshd -D -e -p 2222 -h /tmp/host_key -o GatewayPorts=yes -o StrictModes=no -o UsePAM=no",
  ].join(" && ");
  await apply({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "ssh", namespace },
    spec: {
      selector: { matchLabels: { app: "ssh" } },
      template: {
        metadata: { labels: { app: "ssh" } },
        spec: { containers: [{ name: "ssh", image, command: ["sh", "-c", setUp] }] },
      },
    },
  });
  await kubectl("-n", namespace, "rollout", "status", "deployment/ssh", "--timeout=120s");
  const forward = new Deno.Command("kubectl", {
    args: ["-n", namespace, "port-forward", "deployment/ssh", ":2222"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = forward.stdout.getReader();
  const { value } = await reader.read();
  const port = /:(\d+) ->/.exec(new TextDecoder().decode(value))?.[1];
  if (!port) throw new Error("kubectl port-forward to the SSH server does not start");
  const drained = (async () => {
    while (!(await reader.read()).done);
  })();
  const options = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "ExitOnForwardFailure=yes",
  ];
  const tunnel = new Deno.Command("ssh", {
    args: [
      ...options.flatMap((option) => ["-o", option]),
      ...["-i", key, "-p", port, "-N", "-R", `0.0.0.0:8080:127.0.0.1:${localPort}`, "root@127.0.0.1"],
    ],
    stdin: "null",
  }).spawn();
  const close = async () => {
    tunnel.kill();
    forward.kill();
    await Promise.all([tunnel.status, forward.status, drained]);
    await Deno.remove(folder, { recursive: true });
  };
  // The server's side listens once the tunnel stands.
  for (let tries = 0;; tries++) {
    try {
      await kubectl("-n", namespace, "exec", "deployment/ssh", "--", "sh", "-c", "grep -qi ':1F90 ' /proc/net/tcp");
      return { close };
    } catch (error) {
      if (tries > 50) {
        await close();
        throw error;
      }
    }
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!success) throw new Error(`${program} failed`);
}
