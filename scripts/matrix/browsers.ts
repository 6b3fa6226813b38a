import { join } from "node:path";
import { kubectl } from "../../tests/e2e/kubectl.ts";
import { pacFile } from "./layer.ts";
import { workshop } from "./prepared.ts";
import type { Program } from "./program.ts";
import { namespace } from "./servers.ts";

/** Arguments without a window, and as root; the picture is what makes Firefox end. */
const browsers: Readonly<Record<string, readonly string[]>> = {
  chromium: ["--headless", "--no-sandbox", "--dump-dom"],
  firefox: ["--headless", "--screenshot", join(workshop, "firefox.png")],
};

/** Browsers, which open a page that asks and tells the server what it has heard. */
export function browserPrograms(): Promise<Program[]> {
  return Promise.resolve(
    Object.entries(browsers).map(([browser, args]) => ({
      family: "Tools",
      runtime: "by",
      clients: [browser],
      words: () => [browser, `http://echo/page/${browser}`, ...args],
      answers: () => told(browser),
      layers: [pacFile],
    })),
  );
}

async function told(browser: string): Promise<string> {
  const ask = `fetch("http://127.0.0.1:8080/told/${browser}").then((answer) => answer.text()).then(console.log)`;
  return await kubectl(["-n", namespace, "exec", "echo-0", "--", "node", "-e", ask]);
}
