// Runs Azurite and ends it at the end of standard input, so that it never outlives its parent.
process.stdin.resume();
for (const event of ["end", "close", "error"]) {
  process.stdin.on(event, () => process.exit(0));
}
require(process.env.AZURITE_MAIN);
