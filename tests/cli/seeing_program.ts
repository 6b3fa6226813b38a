/**
 * A program that prints one line of JSON: its variables (`env`), the files below HAWSER_FILES by their paths there (`files`), and the status of what it gets
 * from ORDERS_URL, 0 where there is none (`answer`).
 */
export const seeingProgram = `
  const root = Deno.env.get("HAWSER_FILES");
  const files = {};
  const look = (path) => {
    for (const { name, isDirectory } of Deno.readDirSync(root + path)) {
      if (isDirectory) look(path + "/" + name);
      else files[path + "/" + name] = Deno.readTextFileSync(root + path + "/" + name);
    }
  };
  if (root) look("");
  const orders = Deno.env.get("ORDERS_URL");
  const answer = orders ? (await fetch(orders)).status : 0;
  console.log(JSON.stringify({ env: Deno.env.toObject(), files, answer }));
`;

/** What {@linkcode seeingProgram} prints. */
export interface Seen {
  readonly env: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly answer: number;
}
