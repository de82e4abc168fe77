// Answers one JSON array on stdout for one on stdin.
//   node compare.js validate   definitions in, a list of error texts for each out
//   node compare.js parse      expressions in, null or the parser's error for each out
//   node compare.js evaluate   [expression, bindings] in, [result], [] (undefined) or null (an error) for each out
"use strict";

// asl-validator compiles its schemas anew for every definition, which takes most of its time: let it have one Ajv.
const Ajv = require("ajv");
let shared;
function OneAjv(options) {
  if (shared) {
    shared.addKeyword = () => shared; // it has them all
  }
  shared ??= new Ajv(options);
  return shared;
}
require.cache[require.resolve("ajv")].exports = { __esModule: true, default: OneAjv };

const jsonata = require("jsonata");
const validate = require("asl-validator");

const answers = {
  validate: (definition) => {
    try {
      const { errors } = validate(definition, { checkPaths: true, checkArn: true });
      return errors.map((error) => `${error["Error code"]}: ${error.Message}`);
    } catch (error) {
      return [`validator failed: ${error.message}`]; // it expects every state to be an object
    }
  },
  parse: (expression) => {
    try {
      jsonata(expression);
      return null;
    } catch (error) {
      return `${error.code}: ${error.message}`;
    }
  },
  evaluate: async ([expression, bindings]) => {
    try {
      const compiled = jsonata(expression);
      compiled.registerFunction("parse", (text) => (text === undefined ? undefined : JSON.parse(text)));
      const result = await compiled.evaluate(undefined, bindings);
      return result === undefined ? [] : [result];
    } catch (error) {
      return null;
    }
  },
};

const answer = answers[process.argv[2]];
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
Promise.all(input.map(answer)).then((found) => process.stdout.write(JSON.stringify(found)));
