import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { awaitRestart } from "../../src/inbound/await_restart.ts";
import { restartWorkloads } from "../../src/inbound/restart_workloads.ts";
import { openScene } from "./scene.ts";

const never = new AbortController().signal;

describe("restartWorkloads", () => {
  it("replaces the pods of a Deployment once, however many there are, and leaves other workloads alone", async () => {
    await using scene = await openScene();
    const { practice } = scene;
    await practice.addService({ namespace: "dev", name: "stock" });
    const pods = (app: string) =>
      practice.list("pods", "dev").filter(({ metadata }) => metadata.labels?.app === app && !metadata.deletionTimestamp)
        .map(({ metadata }) => metadata.uid);
    const [orders, stock] = [pods("orders"), pods("stock")];
    const { deps } = await scene.laptop();
    assertEquals(await restartWorkloads("dev", { app: "orders" }, deps, never), ["deployment/orders"]);
    await awaitRestart("dev", "deployment/orders", deps, never);
    assertEquals(pods("orders").length, 2);
    assert(pods("orders").every((uid) => !orders.includes(uid)));
    assertEquals(pods("stock"), stock);
  });

  it("restarts a StatefulSet itself", async () => {
    await using scene = await openScene();
    await scene.practice.addService({ namespace: "dev", name: "web", kind: "Headless" });
    const { deps } = await scene.laptop();
    assertEquals(await restartWorkloads("dev", { app: "web" }, deps, never), ["statefulset/web"]);
    await awaitRestart("dev", "statefulset/web", deps, never);
  });
});
