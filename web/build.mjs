// build.mjs --modules NODE_MODULES --out FOLDER: the dashboard as the binary embeds it.
//
// Writes index.html, app.js, app.css, icon.svg and two fonts, each gzipped, and assets.txt: lines of
// the path it is served under (with the content's hash), the file and its content type.
// build.mjs --modules NODE_MODULES --tests FOLDER: bundles src/**/*.test.ts into FOLDER and runs them.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {gzipSync} from 'node:zlib';

const kMostBytes = 250 * 1024;
const here = path.dirname(fileURLToPath(import.meta.url));
const {values: given} = parseArgs({
  options: {modules: {type: 'string'}, out: {type: 'string'}, tests: {type: 'string'}},
});
const modules = path.resolve(given.modules ?? path.join(here, '../.deps/web/node_modules'));
const esbuild = createRequire(path.join(modules, 'x.js'))('esbuild');
const common = {
  absWorkingDir: here,
  bundle: true,
  nodePaths: [modules],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
};

async function bundle(entry, target) {
  const built = await esbuild.build({
    ...common,
    entryPoints: [entry],
    minify: true,
    write: false,
    format: 'esm',
    target,
    legalComments: 'none',
    external: ['*.woff2'],
  });
  return Buffer.from(built.outputFiles[0].contents);
}

function hashed(name, content) {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const {name: stem, ext} = path.parse(name);
  return `/assets/${stem}-${hash}${ext}`;
}

async function build(out) {
  mkdirSync(out, {recursive: true});
  const targets = ['chrome108', 'firefox115', 'safari16'];
  const font = (name) => readFileSync(path.join(modules, `@fontsource-variable/${name}/files/${name}-latin-wght-normal.woff2`));
  // What is named by others comes before them.
  const assets = [
    {file: 'inter.woff2', type: 'font/woff2', content: font('inter')},
    {file: 'mono.woff2', type: 'font/woff2', content: font('jetbrains-mono')},
    {file: 'icon.svg', type: 'image/svg+xml', content: readFileSync(path.join(here, 'src/icon.svg'))},
    {file: 'app.js', type: 'text/javascript; charset=utf-8', content: await bundle('src/main.tsx', targets)},
    {file: 'app.css', type: 'text/css; charset=utf-8', content: await bundle('src/styles/app.css', targets)},
    {file: 'index.html', type: 'text/html; charset=utf-8', content: readFileSync(path.join(here, 'src/index.html'))},
  ];
  const named = [];
  for (const asset of assets) {
    if (/html|css/.test(asset.type)) {
      asset.content = Buffer.from(named.reduce((text, a) => text.replaceAll(`/${a.file}`, a.path), asset.content.toString()));
    }
    asset.path = asset.file === 'index.html' ? '/' : hashed(asset.file, asset.content);
    named.push(asset);
  }
  let bytes = 0;
  for (const asset of assets) {
    const packed = gzipSync(asset.content, {level: 9});
    bytes += packed.length;
    writeFileSync(path.join(out, `${asset.file}.gz`), packed);
  }
  if (bytes > kMostBytes) throw new Error(`the dashboard has ${bytes} bytes gzipped; at most ${kMostBytes} are allowed`);
  writeFileSync(path.join(out, 'assets.txt'), assets.map((a) => `${a.path} ${a.file}.gz ${a.type}\n`).join(''));
}

async function runTests(out) {
  rmSync(out, {recursive: true, force: true});
  const tests = readdirSync(path.join(here, 'src'), {recursive: true})
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join('src', name));
  await esbuild.build({
    ...common,
    entryPoints: tests,
    outdir: out,
    outbase: 'src',
    outExtension: {'.js': '.mjs'},
    format: 'esm',
    platform: 'node',
    target: 'node18',
  });
  const files = tests.map((name) => path.join(out, path.relative('src', name)).replace(/\.ts$/, '.mjs'));
  process.exitCode = spawnSync(process.execPath, ['--test', ...files], {stdio: 'inherit'}).status ?? 1;
}

if (given.tests) await runTests(path.resolve(given.tests));
if (given.out) await build(path.resolve(given.out));
