import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { runMain } from "./fake_deps.ts";

describe("flags that do nothing", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const refused: readonly (readonly [line: string, says: string, env?: Record<string, string>])[] = [
    ["run --session x -n dev -- true", "--namespace belongs to the session, which is connected already"],
    ["run --session x --listen -- true", "--listen belongs to the session"],
    [
      "run --port 0 -- true",
      "--port belongs to the session, which is connected already: leave it or HAWSER_SESSION out",
      {
        HAWSER_SESSION: "x",
      },
    ],
    ["browser --session x --context c", "--context belongs to the session"],
    ["env -n dev", "--namespace belongs to hawser connect"],
    ["disconnect -n dev", "--namespace belongs to hawser connect"],
    ["disconnect dev --session dev", '--session names what "dev" names already'],
    ["disconnect --all --session dev", "--session names what --all names already"],
    ["status -n dev", "--namespace is for hawser status --cluster"],
    ["run --cut -- true", "--cut is about services that come here: name one by --exchange or --mesh"],
    ["run --insist -- true", "--insist is about services"],
    ["run --fallback error -- true", "--fallback is about services"],
    ["run --agent-image x -- true", "--agent-image is for a pod in the cluster"],
    ["run --image-pull-secret x -- true", "--image-pull-secret is for a pod in the cluster"],
    ["run --relay=false --agent-image x -- true", "--agent-image is for a pod in the cluster"],
    ["connect --agent-image x", "--agent-image is for the relay's pod: add --relay"],
    ["forward x 1 --agent-image x", "--agent-image is for the relay's pod: add --relay"],
    ["run --rewrite-env -- true", "--rewrite-env is about the values of --env-from and --env-file"],
    ["env --hosts --shell bash", "--shell is a form of variables"],
    ["env --env-from deploy/x --context c", "--context belongs to hawser connect"],
    ["env --set A=1 --shell jvm", "--set is about variables, which --shell jvm does not print"],
    ["env --env-file x --hosts", "--env-file is about variables, which --hosts does not print"],
    ["connect --no-dns --dns-port 5353", "--dns-port is for the DNS resolver, which --no-dns leaves out"],
    ["run --dns-port 5353 -- true", "which HAWSER_NO_DNS leaves out", { HAWSER_NO_DNS: "true" }],
  ];
  for (const [line, says, env = {}] of refused) {
    it(`are refused: ${line}`, async () => {
      const { status, err } = await runMain(line.split(" "), { root, env });
      assertStringIncludes(err, says);
      assertEquals(status, 2);
    });
  }

  const accepted: readonly (readonly [line: string, says: string, env?: Record<string, string>])[] = [
    ["run --session x -- true", 'No session "x" runs', {
      HAWSER_NAMESPACE: "dev",
      HAWSER_PORT: "0",
      HAWSER_CUT: "true",
    }],
    ["run --relay --agent-image x --kubeconfig none -- true", '"none"'],
    ["run --mesh x:1 --fallback error --kubeconfig none -- true", '"none"'],
    ["connect --no-dns --kubeconfig none", '"none"', { HAWSER_DNS_PORT: "5353", HAWSER_AGENT_IMAGE: "x" }],
    ["env --hosts", "No session runs", { HAWSER_SHELL: "bash", HAWSER_CONTEXT: "c" }],
    ["env --env-from deploy/x --kubeconfig k", "No session runs"],
    ["disconnect dev", 'No session "dev" runs', { HAWSER_SESSION: "other" }],
    ["disconnect --session dev", 'No session "dev" runs'],
    ["disconnect", 'No session "dev" runs', { HAWSER_SESSION: "dev" }],
  ];
  for (const [line, says, env = {}] of accepted) {
    it(`are nothing but defaults elsewhere: ${line}`, async () => {
      const { status, err } = await runMain(line.split(" "), { root, env });
      assertStringIncludes(err, says);
      assertEquals(status, 1);
    });
  }
});
