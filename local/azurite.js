// Runs Azurite and ends it at the end of standard input, so that it never outlives its parent.
const main = process.env.AZURITE_MAIN;
const { Collection } = require(require.resolve("lokijs", { paths: [main] }));

// With every call to a queue Azurite removes what has expired, mostly nothing, and its database sorts all
// messages anew even then: with thousands of messages waiting that would be most of the emulator's work.
const { removeBatch } = Collection.prototype;
Collection.prototype.removeBatch = function (batch) {
  if (batch.length > 0) {
    removeBatch.call(this, batch);
  }
};

process.stdin.resume();
for (const event of ["end", "close", "error"]) {
  process.stdin.on(event, () => process.exit(0));
}
require(main);
