/**
 * Where the self-extracting executable begins; `launcher.sh` starts Deno with it.
 *
 * @module
 */
import { main } from "../../src/cli/main.ts";
import { sweep } from "./sweep.ts";

// These keep our Deno to itself. Programs that hawser starts are not to see them: one may be a Deno of the user's own.
const usersDenoDir = Deno.env.get("HAWSER_USERS_DENO_DIR");
if (usersDenoDir === undefined) Deno.env.delete("DENO_DIR");
else Deno.env.set("DENO_DIR", usersDenoDir);
Deno.env.delete("HAWSER_USERS_DENO_DIR");
Deno.env.delete("DENO_NO_UPDATE_CHECK");

// A cache that cannot be tidied (read-only, somebody else's) still serves.
sweep(`${import.meta.dirname}/..`, Date.now()).catch(() => {});

Deno.exit(await main(Deno.args));
