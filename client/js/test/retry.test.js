import assert from "node:assert/strict";
import { test } from "node:test";
import { settled, start } from "./support/fakes.js";

const onceOnline = async (options) => {
  const all = start(options);
  await settled();
  all.last().welcome();
  return all;
};

test("the delay is random below a bound that doubles up to the greatest", async () => {
  const { client, clock, last, again } = start({ backoff: { firstMs: 100, maxMs: 500 } });
  for (const bound of [100, 200, 400, 500, 500, 500]) {
    clock.random = () => 0.999;
    last().cut();
    assert.equal(client.state.delayMs, bound * 0.999);
    await again();
  }
  clock.random = () => 0;
  last().cut();
  assert.equal(client.state.delayMs, 0);
});

test("who was connected for a while begins with the first bound again", async () => {
  const { client, clock, last, again } = start({ backoff: { firstMs: 100, maxMs: 5000 } });
  for (let i = 0; i < 5; ++i) {
    last().cut();
    await again();
  }
  last().welcome();
  await clock.pass(10_000);
  last().cut();
  assert.equal(client.state.delayMs, 50);
});

test("who is turned away soon after each welcome does not hammer", async () => {
  const { client, last, again } = start({ backoff: { firstMs: 100, maxMs: 5000 } });
  const delays = [];
  for (let i = 0; i < 4; ++i) {
    last().welcome();
    last().bye(1012, "ADVICE_AT_ONCE");
    delays.push(client.state.delayMs);
    await again();
  }
  assert.deepEqual(delays, [50, 100, 200, 400]);
});

test("a node that stops is left at once, and what it says of the time is obeyed", async () => {
  const { client, clock, last, again } = await onceOnline();
  await clock.pass(10_000);
  last().bye(1012, "ADVICE_AT_ONCE");
  assert.deepEqual(client.state, { status: "waiting", delayMs: 0, code: 1012, reason: "" });
  await again();
  last().welcome();
  await clock.pass(10_000);
  last().bye(1013, "ADVICE_LATER", { retryAfterMs: 7000, reason: "busy" });
  assert.equal(client.state.delayMs, 7500);
  assert.equal(client.state.reason, "busy");
});

const fates = { again: [1001, 1005, 1006, 1009, 1011, 1012, 1013, 4013, 4014, 4029, 4040, 3999],
                never: [1000, 1002, 1003, 1007, 1008, 4001, 4002, 4003, 4020, 4021] };

for (const code of fates.never) {
  test(`nothing is tried after ${code} without new credentials`, async () => {
    const { client, clock, sockets, last } = await onceOnline();
    last().cut(code, "why");
    assert.deepEqual(client.state, { status: "closed", code, reason: "why" });
    await clock.pass(3_600_000);
    assert.equal(sockets.length, 1);
    assert.equal(clock.pending, 0);
  });
}

for (const code of fates.again) {
  test(`it is tried again after ${code}`, async () => {
    const { last, again } = await onceOnline();
    last().cut(code);
    await again();
  });
}

test("the advice of the node wins over what the code means", async () => {
  const { client, last } = await onceOnline({ credentials: () => ({ query: { token: "t" } }) });
  last().bye(1012, "ADVICE_NEVER");
  assert.equal(client.state.status, "closed");
  const other = await onceOnline();
  other.last().bye(1008, "ADVICE_LATER");
  await other.again();
});

test("credentials are asked for once, and shown at each attempt", async () => {
  const asked = [];
  const credentials = async (why) => {
    asked.push(why);
    return { query: { token: `t${asked.length}` }, protocols: ["bearer.x"] };
  };
  const { last, again } = await onceOnline({ credentials });
  last().cut();
  const socket = await again();
  assert.deepEqual(asked, ["first"]);
  assert.equal(socket.url.search, "?name=alice&token=t1");
  assert.deepEqual(socket.protocols, ["wsrouter.v1.json", "bearer.x"]);
});

for (const code of [4001, 4002]) {
  test(`after ${code} new credentials are asked for, and used`, async () => {
    const asked = [];
    const credentials = (why) => ({ query: { token: `t${asked.push(why)}` } });
    const { last, again } = await onceOnline({ credentials });
    last().bye(code, "ADVICE_NEW_CREDENTIALS");
    const socket = await again();
    assert.deepEqual(asked, ["first", "refused"]);
    assert.equal(socket.url.searchParams.get("token"), "t2");
  });
}

test("the same credentials are not shown again after they were refused", async () => {
  const { client, clock, sockets, last } =
    await onceOnline({ credentials: () => ({ query: { token: "t" } }) });
  last().cut(4002);
  await clock.pass(60_000);
  assert.equal(client.state.status, "closed");
  assert.equal(sockets.length, 1);
});

test("cookies are renewed out of sight, and tried again", async () => {
  const { last, again } = await onceOnline({ credentials: () => ({}) });
  last().cut(4001);
  await again();
});

test("4003 is final whatever credentials there are, until the program says so", async () => {
  let count = 0;
  const { client, clock, sockets, last } =
    await onceOnline({ credentials: () => ({ query: { token: `t${++count}` } }) });
  last().cut(4003);
  await clock.pass(60_000);
  assert.equal(client.state.status, "closed");
  client.reconnect();
  await settled();
  assert.equal(sockets.length, 2);
  assert.equal(last().url.searchParams.get("token"), "t2");
  last().welcome();
  assert.equal(client.state.status, "online");
});

test("credentials that cannot be had now are asked for again; none at all end it", async () => {
  const answers = [
    () => { throw new Error("no network"); },
    () => Promise.reject(new Error("no network")),
    () => null,
  ];
  const { client, clock, sockets } = start({ credentials: () => answers.shift()() });
  await settled();
  assert.equal(client.state.status, "waiting");
  await clock.pass(client.state.delayMs);
  assert.equal(client.state.status, "waiting");
  await clock.pass(client.state.delayMs);
  assert.equal(client.state.status, "closed");
  assert.equal(sockets.length, 0);
});

test("credentials that will end are replaced before, by a session of their own", async () => {
  const asked = [];
  const credentials = (why) => ({
    query: { token: `t${asked.push(why)}` },
    expiresAt: 1_000_000 + asked.length * 300_000,
  });
  const { client, clock, sockets, last } = start({ credentials });
  await settled();
  last().answersPings = true;
  last().welcome({ session: "s1" });
  await clock.pass(269_999);
  assert.deepEqual(asked, ["first"]);
  const old = last();
  await clock.pass(1);
  assert.deepEqual(asked, ["first", "expiring"]);
  assert.equal(old.closed.code, 1000); // which ends the old one
  assert.equal(sockets.length, 2);
  assert.equal(last().url.searchParams.get("token"), "t2");
  assert.deepEqual(last().protocols, ["wsrouter.v1.json"]);
});

test("a session is offered until the node gives another, or says that there is none", async () => {
  const { last, again } = await onceOnline();
  last().say({ welcome: { connectionId: "c1", clientId: "alice", session: "s1" } });
  last().cut();
  const second = await again();
  second.open();
  second.say({ welcome: { connectionId: "c2" } }); // the node could not look for it now
  second.cut();
  const third = await again();
  assert.ok(third.protocols.includes("wsrouter.session.s1"));
  third.welcome();
  third.cut();
  assert.deepEqual((await again()).protocols, ["wsrouter.v1.json"]);
});

test("new credentials that cannot be had in time are asked for again at the close", async () => {
  const asked = [];
  const credentials = (why) => {
    asked.push(why);
    if (why === "expiring") throw new Error("no network");
    return { query: { token: `t${asked.length}` }, expiresAt: 1_000_000 + 60_000 };
  };
  const { client, clock, last, again } = start({ credentials });
  await settled();
  last().answersPings = true;
  last().welcome();
  await clock.pass(60_000);
  assert.equal(client.state.status, "online");
  last().bye(4002, "ADVICE_NEW_CREDENTIALS");
  await again();
  assert.deepEqual(asked, ["first", "expiring", "refused"]);
});

for (const wanted of ["online", "waiting", "connecting"]) {
  test(`a program that closes when it hears of ${wanted} has closed`, async () => {
    const { client, clock, sockets, last } = start();
    client.onState(({ status }) => {
      if (status === wanted) client.close();
    });
    last().welcome();
    last().cut();
    await clock.pass(60_000);
    assert.equal(client.state.status, "closed");
    assert.equal(clock.pending, 0);
    assert.equal(sockets.length, 1);
  });
}

test("what closes while credentials are awaited stays closed", async () => {
  let give;
  const { client, clock, sockets } =
    start({ credentials: () => new Promise((resolve) => { give = resolve; }) });
  client.close();
  give({ query: { token: "t" } });
  await settled();
  assert.equal(sockets.length, 0);
  assert.equal(clock.pending, 0);
});
