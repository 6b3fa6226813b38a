/** What a test may be given besides its name and function. */
export type TestOptions = Pick<
  Deno.TestDefinition,
  "ignore" | "only" | "permissions" | "sanitizeExit" | "sanitizeOps" | "sanitizeResources"
>;

type Hook = () => void | Promise<void>;
type TestFunction = (t: Deno.TestContext) => void | Promise<void>;

interface Test {
  readonly name: string;
  readonly options: TestOptions;
  readonly run: TestFunction;
}

class Suite {
  readonly members: (Suite | Test)[] = [];
  readonly beforeAll: Hook[] = [];
  readonly afterAll: Hook[] = [];
  readonly beforeEach: Hook[] = [];
  readonly afterEach: Hook[] = [];

  constructor(readonly name: string, readonly options: TestOptions, readonly parent: Suite | undefined) {}

  /** Runs the members as steps of `t`, one after another. */
  async run(t: Deno.TestContext): Promise<void> {
    try {
      for (const hook of this.beforeAll) await hook();
      for (const member of this.members) {
        await t.step({
          ...member.options,
          name: member.name,
          fn: (t) => member instanceof Suite ? member.run(t) : this.#runTest(member, t),
        });
      }
    } finally {
      for (const hook of this.afterAll) await hook();
    }
  }

  async #runTest(test: Test, t: Deno.TestContext): Promise<void> {
    try {
      for (const hook of this.allBeforeEach()) await hook();
      await test.run(t);
    } finally {
      for (const hook of this.allAfterEach()) await hook();
    }
  }

  allBeforeEach(): readonly Hook[] {
    return [...this.parent?.allBeforeEach() ?? [], ...this.beforeEach];
  }

  allAfterEach(): readonly Hook[] {
    return [...this.afterEach, ...this.parent?.allAfterEach() ?? []];
  }
}

/** The suite whose `describe` function runs now. */
let current: Suite | undefined;

/**
 * Registers a suite: a `Deno.test` whose members are steps, as `@std/testing/bdd` does. `register` calls `it`,
 * `describe` and the hooks, and is not asynchronous.
 */
export function describe(name: string, register: () => void): void;
export function describe(name: string, options: TestOptions, register: () => void): void;
export function describe(name: string, ...rest: [() => void] | [TestOptions, () => void]): void {
  const [options, register] = rest.length === 2 ? rest : [{}, rest[0]];
  const suite = new Suite(name, options, current);
  current = suite;
  try {
    register();
  } finally {
    current = suite.parent;
  }
  if (current) current.members.push(suite);
  else registerTest(suite);
}

/** Registers a test, in the suite around it if there is one. */
export function it(name: string, run: TestFunction): void;
export function it(name: string, options: TestOptions, run: TestFunction): void;
export function it(name: string, ...rest: [TestFunction] | [TestOptions, TestFunction]): void {
  const [options, run] = rest.length === 2 ? rest : [{}, rest[0]];
  if (current) current.members.push({ name, options, run });
  else Deno.test({ ...options, name, fn: run });
}

/** Runs once before the first test of the suite around it. */
export function beforeAll(hook: Hook): void {
  suiteAround().beforeAll.push(hook);
}

/** Runs once after the last test of the suite around it, failed or not. */
export function afterAll(hook: Hook): void {
  suiteAround().afterAll.push(hook);
}

/** Runs before each test of the suite around it, those of outer suites first. */
export function beforeEach(hook: Hook): void {
  suiteAround().beforeEach.push(hook);
}

/** Runs after each test of the suite around it, failed or not, those of inner suites first. */
export function afterEach(hook: Hook): void {
  suiteAround().afterEach.push(hook);
}

/** The suite whose function runs now; outside of any, one around everything that the file registers from here on. */
function suiteAround(): Suite {
  if (!current) {
    current = new Suite("global", {}, undefined);
    registerTest(current);
  }
  return current;
}

function registerTest(suite: Suite): void {
  Deno.test({ ...suite.options, name: suite.name, fn: (t) => suite.run(t) });
}
