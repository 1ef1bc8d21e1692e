// What the tests ask of npm's `pg`: its answers as one line of JSON. Arguments: port.
const { Client, Pool, types } = require("pg");
const Cursor = require("pg-cursor");

const address = { host: "127.0.0.1", port: Number(process.argv[2]), database: "lake", user: "judge" };

async function ask(client) {
  const told = {};
  told.values = (await client.query(
    "select $1::int4 as i, $2::text as t, $3::bool as b, $4::float8 as f, $5::timestamptz as z, $6::int4[] as a, " +
    "$7::text[] as s, $8::json as j, $9::bytea as y, $10::int8 as big, $11::numeric(10,2) as n, null::text as nothing",
    [7, "h\u00e9 'q'", true, 0.5, new Date("2026-11-22T17:00:00.123Z"), [1, null, 3], ["a b", 'c"d', ""],
      { a: [1, null] }, Buffer.from([0, 255]), "9007199254740993", "12.50"])).rows[0];
  told.values.y = told.values.y.toString("hex");
  const rows = await client.query({ text: "select i, -i as m from generate_series(1, 3) as t(i) order by i", rowMode: "array" });
  told.arrays = rows.rows;
  told.fields = rows.fields.map((field) => [field.name, field.dataTypeID, field.format]);
  told.named = [];
  for (let i = 0; i < 3; ++i) {
    told.named.push((await client.query({ name: "plus", text: "select $1::int4 + 1 as n", values: [i] })).rows[0].n);
  }
  told.several = (await client.query("select 1 as a; select 2 as b")).map((result) => result.rows[0]);
  const cursor = client.query(new Cursor("select i from generate_series(1, 1000) as t(i) order by i"));
  told.pieces = [];
  for (let piece = await cursor.read(300); piece.length > 0; piece = await cursor.read(300)) told.pieces.push(piece.length);
  await cursor.close();
  const some = await client.query("select id from silver.patient where id = any($1) order by id",
    [(await client.query("select id from silver.patient order by id limit 2")).rows.map((row) => row.id)]);
  told.found = some.rowCount;
  try {
    await client.query("select nope from silver.patient");
  } catch (error) {
    told.error = [error.code, error.position, error.severity];
  }
  try {
    await client.query("begin");
    await client.query("select * from nope");
  } catch (error) {
    told.missing = error.code;
  }
  told.aborted = await client.query("select 1").catch((error) => error.code);
  await client.query("rollback");
  told.date = types.getTypeParser(1082)("2026-11-22") !== undefined;
  return told;
}

async function main() {
  const client = new Client({ ...address, statement_timeout: 60000, application_name: "judge" });
  await client.connect();
  const told = await ask(client);
  await client.query("set statement_timeout = 300");
  told.timeout = await client.query("select count(*) from generate_series(1, 100000000000000)").catch((error) => error.code);
  await client.end();
  const pool = new Pool({ ...address, max: 5 });
  told.pool = (await Promise.all([...Array(20).keys()].map((i) => pool.query("select $1::int4 as i", [i])))).map(
    (result) => result.rows[0].i);
  await pool.end();
  console.log(JSON.stringify(told));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
