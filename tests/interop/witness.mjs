// A process that verifies for as long as it lives, as a server does. Usage: witness.mjs VERIFIER
//
// Each line of standard input is a token, answered by one line of JSON, or `+SECONDS`, which moves the clock that the
// verifier's cache goes by and is answered by `{}`.

import { mock } from 'node:test';
import { createInterface } from 'node:readline';

mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.now() });

const { verify } = await import(`./verifiers/${process.argv[2]}.mjs`);

async function answer(line) {
  if (line.startsWith('+')) {
    mock.timers.tick(Number(line) * 1000);
    return {};
  }
  try {
    return { claims: await verify(line) };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(line)));
}
