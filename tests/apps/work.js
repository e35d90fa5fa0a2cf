// SPDX-License-Identifier: BSD-3-Clause
// work.js: what scripts do with node: timers, promises, files, streams, workers, crypto. Prints what it got; status 5.
"use strict";
const crypto = require("crypto");
const events = require("events");
const fs = require("fs");
const os = require("os");
const path = require("path");
const {pipeline, Transform} = require("stream");
const util = require("util");
const {Worker, isMainThread, parentPort, workerData} = require("worker_threads");
const zlib = require("zlib");

function wait(ms, value) {
    return new Promise((resolve) => setTimeout(resolve, ms, value));
}

if (!isMainThread) {
    const counter = new Int32Array(workerData.shared);
    for (let i = 0; i < workerData.count; ++i) {
        Atomics.add(counter, 0, 1);
    }
    parentPort.on("message", (text) => {
        parentPort.postMessage({text: text.toUpperCase(), sum: [...Array(1000).keys()].reduce((a, b) => a + b)});
        parentPort.close();
    });
    return;
}

async function timers() {
    const order = [];
    setTimeout(() => order.push("timeout 5"), 5);
    setTimeout(() => order.push("timeout 1"), 1);
    setImmediate(() => order.push("immediate"));
    process.nextTick(() => order.push("tick"));
    Promise.resolve().then(() => order.push("promise"));
    order.push("now");
    let ticks = 0;
    await new Promise((resolve) => {
        const interval = setInterval(() => {
            if (++ticks === 4) {
                clearInterval(interval);
                resolve();
            }
        }, 2);
    });
    await wait(5);
    console.log("timers:", order.sort().join(", "), ticks);
    console.log("race:", await Promise.race([wait(2000, "slow"), wait(1, "fast")]));
    const settled = await Promise.allSettled([wait(1, 7), Promise.reject(new Error("no"))]);
    console.log("settled:", settled.map((s) => s.value ?? s.reason.message));
}

async function files() {
    fs.mkdirSync("folder/inner", {recursive: true});
    const name = path.join("folder", "text");
    fs.writeFileSync(name, "first\n");
    await fs.promises.appendFile(name, "second\n".repeat(1000));
    const {size} = await fs.promises.stat(name);
    console.log("file:", size, (await fs.promises.readFile(name, "utf8")).split("\n").length);
    fs.renameSync(name, "folder/renamed");
    fs.symlinkSync("renamed", "folder/link");
    fs.copyFileSync("folder/link", "folder/copy");
    console.log("folder:", fs.readdirSync("folder").sort(), fs.readlinkSync("folder/link"));
    console.log("absent:", await fs.promises.open("none").catch((error) => error.code));
    const upper = new Transform({transform: (chunk, _, done) => done(null, chunk.toString().toUpperCase())});
    await util.promisify(pipeline)(fs.createReadStream("folder/copy", {highWaterMark: 999}), upper, zlib.createGzip(),
        fs.createWriteStream("folder/packed"));
    const text = zlib.gunzipSync(fs.readFileSync("folder/packed"));
    console.log("stream:", text.length, text.subarray(0, 12).toString());
    fs.rmSync("folder", {recursive: true});
    console.log("removed:", !fs.existsSync("folder"));
}

async function digests() {
    const data = Buffer.from("x".repeat(100000));
    for (const kind of ["md5", "sha1", "sha256", "sha3-256", "blake2b512"]) {
        console.log(kind + ":", crypto.createHash(kind).update(data).digest("hex").slice(0, 32));
    }
    console.log("hmac:", crypto.createHmac("sha256", "key").update("text").digest("base64"));
    const derived = await util.promisify(crypto.pbkdf2)("secret", "salt", 1000, 24, "sha256");
    console.log("pbkdf2:", derived.toString("hex"));
    console.log("scrypt:", (await util.promisify(crypto.scrypt)("secret", "salt", 16)).toString("hex"));
    const cipher = crypto.createCipheriv("aes-256-gcm", Buffer.alloc(32, 1), Buffer.alloc(12, 2));
    const sealed = Buffer.concat([cipher.update("attack at dawn"), cipher.final()]);
    console.log("gcm:", sealed.toString("hex"), cipher.getAuthTag().toString("hex"));
    const {publicKey, privateKey} = crypto.generateKeyPairSync("ec", {namedCurve: "prime256v1"});
    const signature = crypto.sign("sha256", data, privateKey);
    console.log("signature:", crypto.verify("sha256", data, publicKey, signature), crypto.randomBytes(8).length);
}

async function workers() {
    const shared = new SharedArrayBuffer(4);
    const answers = await Promise.all([1, 2, 3].map((number) => new Promise((resolve, reject) => {
        const worker = new Worker(__filename, {workerData: {shared, count: 1000 * number}});
        worker.on("message", resolve).on("error", reject);
        worker.postMessage("worker " + number);
    })));
    console.log("workers:", answers, Atomics.load(new Int32Array(shared), 0));
    const failing = new Worker("throw new TypeError('in a worker')", {eval: true});
    console.log("failed:", await events.once(failing, "error").then(([error]) => error.message));
}

async function signals() {
    const seen = events.once(process, "SIGUSR2");
    const alive = setInterval(() => {}, 1000); // to wait for a signal does not keep node running
    process.kill(process.pid, "SIGUSR2");
    console.log("signal:", await seen);
    clearInterval(alive);
}

function language() {
    const map = new Map(Object.entries({b: 2, a: 1}));
    function* squares(n) {
        for (let i = 0; i < n; ++i) {
            yield i * i;
        }
    }
    console.log("language:", [...map].sort(), [...squares(6)], 2n ** 100n, "äöü".normalize("NFD").length);
    console.log("expressions:", "2024-02-29, 1999-12-31".replace(/(?<y>\d+)-(?<m>\d+)-(?<d>\d+)/gu, "$<d>.$<m>.$<y>"));
    console.log("numbers:", (0.1 + 0.2).toString(), (255).toString(16), Math.hypot(3, 4), (1e21).toLocaleString("en-US"));
    console.log("dates:", new Date(86400000 * 365.25 * 30).toISOString(), Date.UTC(2000, 1, 29));
    console.log("json:", JSON.stringify({a: [1, {b: null}], c: "\u2028"}), util.inspect({deep: {er: {still: {more: 1}}}}));
    let hash = 0;
    for (let i = 0; i < 3000000; ++i) {
        hash = (hash * 31 + i) | 0; // long enough for the compiler
    }
    console.log("hash:", hash, os.EOL === "\n", typeof performance.now());
}

async function main() {
    language();
    await timers();
    await files();
    await digests();
    await workers();
    await signals();
    process.on("exit", (status) => console.log("exit:", status));
    process.exitCode = 5;
}

main();
