// What must hold wherever a connection is cut. A failing seed names itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded, settled, start } from "./support/fakes.js";
import { ModelNode } from "./support/model_node.js";

const seeds = Number(process.env.WSROUTER_JS_SEEDS ?? 300);

async function setUp(options) {
  const node = new ModelNode(options);
  const heard = [];
  const all = start();
  all.client.join("a", {
    since: { offset: 0, epoch: "e1" },
    onMessage: ({ data }) => heard.push(data),
    onGap: () => heard.push("gap"),
  });
  node.accept(all.last());
  /** Another connection, as soon as the client wants it. */
  const cut = async () => {
    node.cut();
    node.accept(await all.again());
  };
  const drain = () => {
    while (!node.isIdle) node.deliver();
  };
  return { ...all, node, heard, cut, drain };
}

const upTo = (count) => Array.from({ length: count }, (_, i) => `e1:${i + 1}`);

test("cut behind any frame of an exchange, the received sequence is the sent one", async () => {
  for (let point = 0; ; ++point) {
    const { node, heard, cut, drain } = await setUp({ chance: () => false });
    let passed = 0;
    let wasCut = false;
    for (let i = 0; i < 12; ++i) {
      node.push();
      while (!node.isIdle) {
        if (passed++ === point) {
          wasCut = true;
          node.push(); // while nobody is there
          await cut();
        }
        node.deliver();
      }
    }
    drain();
    assert.deepEqual(heard, upTo(wasCut ? 13 : 12), `cut behind ${point}`);
    if (!wasCut) return;
  }
});

test("cut anywhere, any number of times, nothing is lost, doubled or reordered", async () => {
  for (let seed = 1; seed <= seeds; ++seed) {
    const random = seeded(seed);
    const chance = (probability) => random() < probability;
    const { node, heard, cut, drain } = await setUp({ chance });
    for (let step = 0; step < 150; ++step) {
      if (chance(0.4)) node.push();
      else if (chance(0.15)) await cut();
      else node.deliver();
    }
    drain();
    assert.deepEqual(heard, upTo(node.history.length), `seed ${seed}`);
  }
});

test("what the node has no room for comes out of the history, wherever it is cut besides",
     async () => {
  for (let seed = 1; seed <= seeds; ++seed) {
    const random = seeded(seed + 30_000);
    const chance = (probability) => random() < probability;
    const { clock, node, heard, cut, drain } = await setUp({ chance, lossy: true });
    for (let step = 0; step < 150; ++step) {
      if (chance(0.4)) node.push();
      else if (chance(0.05)) await cut();
      else if (chance(0.2)) await clock.pass(300);
      else node.deliver();
    }
    node.lossy = false;
    drain();
    node.push(); // shows a loss that was not told
    drain();
    await clock.pass(1000);
    drain();
    assert.deepEqual(heard, upTo(node.history.length), `seed ${seed}`);
  }
});

test("what history has lost is told as a gap, where it is", async () => {
  for (let seed = 1; seed <= seeds; ++seed) {
    const random = seeded(seed + 10_000);
    const chance = (probability) => random() < probability;
    const { node, heard, cut, drain } = await setUp({ chance, kept: 4 });
    for (let step = 0; step < 150; ++step) {
      if (chance(0.4)) node.push();
      else if (chance(0.01)) {
        node.forget();
        await cut();
      } else if (chance(0.15)) await cut();
      else node.deliver();
    }
    drain();
    let last = "e1:0";
    let isTold = false;
    for (const one of heard) {
      if (one === "gap") {
        isTold = true;
        continue;
      }
      const [[e1, o1], [e2, o2]] = [last.split(":"), one.split(":")];
      const follows = e1 === e2 && Number(o2) === Number(o1) + 1;
      assert.ok(follows || isTold, `seed ${seed}: ${last}, ${one} without a gap`);
      assert.ok(e1 !== e2 || Number(o2) > Number(o1), `seed ${seed}: ${one} behind ${last}`);
      [last, isTold] = [one, false];
    }
    if (node.history.length && !isTold) {
      const { epoch, offset } = node.history.at(-1);
      assert.equal(last, `${epoch}:${offset}`, `seed ${seed}: the last`);
    }
  }
});

test("cut anywhere, a message settles once, and arrives as its fate says", async () => {
  for (let seed = 1; seed <= seeds; ++seed) {
    const random = seeded(seed + 20_000);
    const chance = (probability) => random() < probability;
    const { client, node, cut, drain } = await setUp({ chance });
    const fates = new Map();
    for (let step = 0; step < 100; ++step) {
      if (chance(0.3)) {
        const text = `${step}`;
        const idempotent = chance(0.5);
        const fate = { idempotent, settled: 0, isTaken: false };
        fates.set(text, fate);
        client.send(text, { idempotent }).then(
          () => { ++fate.settled; fate.isTaken = true; },
          ({ reason }) => { ++fate.settled; assert.equal(reason, "UNCERTAIN"); });
      } else if (chance(0.15)) await cut();
      else node.deliver();
    }
    drain();
    await settled();
    const firsts = node.said.filter((text, i) => node.said.indexOf(text) === i);
    assert.deepEqual(firsts.map(Number), firsts.map(Number).sort((a, b) => a - b), `seed ${seed}`);
    for (const [text, { idempotent, settled: times, isTaken }] of fates) {
      const arrived = node.said.filter((one) => one === text).length;
      assert.equal(times, 1, `seed ${seed}: ${text} settled`);
      if (isTaken || idempotent) assert.ok(arrived >= 1, `seed ${seed}: ${text} was lost`);
      if (!idempotent) assert.ok(arrived <= 1, `seed ${seed}: ${text} arrived twice`);
      if (idempotent) assert.ok(isTaken, `seed ${seed}: ${text} may be repeated`);
    }
  }
});
