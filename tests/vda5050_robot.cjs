// A robot and its fleet control by vda-5050-lib, which know nothing of us: run by node, with NODE_PATH naming where the library is.
// `node tests/vda5050_robot.cjs URL SERIAL`: one order that is carried out, one that is cancelled, then the robot goes offline.
"use strict";
const { AgvController, BlockingType, MasterController, VirtualAgvAdapter } = require("vda-5050-lib");

const [url, serialNumber] = process.argv.slice(2);
const robot = { manufacturer: "RobotCo", serialNumber };
const client = () => ({ interfaceName: "uagv", transport: { brokerUrl: url }, vdaVersion: "2.0.0" });
const say = (text) => console.log(text);
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

const node = (nodeId, sequenceId, x, actions = []) =>
  ({ nodeId, sequenceId, released: true, actions, nodePosition: { x, y: 0, theta: 0, mapId: "local" } });
const edge = (edgeId, sequenceId, startNodeId, endNodeId) =>
  ({ edgeId, sequenceId, startNodeId, endNodeId, released: true, actions: [] });

async function main() {
  const agv = new AgvController(robot, client(), { agvAdapterType: VirtualAgvAdapter, publishStateInterval: 500 },
    { initialPosition: { mapId: "local", x: 0, y: 0, theta: 0, lastNodeId: "n1" }, vehicleSpeed: 4, agvNormalDeviationXyTolerance: 1 });
  const master = new MasterController(client(), {});
  await master.start();
  await agv.start();
  await wait(1000);
  const order = (orderId, far) => ({
    orderId, orderUpdateId: 0,
    nodes: [node("n1", 0, 0), node("n2", 2, far)],
    edges: [edge("e12", 1, "n1", "n2")],
  });
  await new Promise((done, fail) => master.assignOrder(robot, order("o1", 4), {
    onOrderProcessed: (error, canceled) => (error || canceled ? fail(new Error(JSON.stringify(error))) : done()),
  }).catch(fail));
  say("done o1");
  await wait(1200);
  const back = {
    orderId: "o2", orderUpdateId: 0,
    nodes: [node("n2", 0, 4), node("n3", 2, 400)],
    edges: [edge("e23", 1, "n2", "n3")],
  };
  const ended = new Promise((done) => master.assignOrder(robot, back, { onOrderProcessed: (_, canceled) => done(canceled) }));
  await wait(1500);
  await master.initiateInstantActions(robot, {
    instantActions: [{ actionId: "c1", actionType: "cancelOrder", blockingType: BlockingType.Hard }],
  }, { onActionStateChanged: () => {}, onActionError: (error) => say(`error ${JSON.stringify(error)}`) });
  say(`cancelled o2 ${await ended}`);
  await wait(1200);
  await agv.stop();
  await master.stop();
  say("offline");
}

main().then(() => process.exit(0), (error) => { say(String(error && error.stack || error)); process.exit(1); });
