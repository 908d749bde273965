// Builds the page: build.js [OUT] [--watch]
//
// OUT (../build/ui) gets index.html, app.js, app.css, icon.svg and licenses.txt
// (of the packages that app.js has in it), which a plain "root" of nginx
// serves.  All addresses in them are relative.

import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const out = resolve(args[0] ?? join(here, '../build/ui'));

const options = {
    absWorkingDir: here,
    entryPoints: { app: 'src/main.jsx' },
    outdir: out,
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'warning',
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await copyFile(join(here, 'index.html'), join(out, 'index.html'));
await copyFile(join(here, 'icon.svg'), join(out, 'icon.svg'));
await writeFile(join(out, 'licenses.txt'), await licenses());

if (process.argv.includes('--watch')) {
    const context = await esbuild.context(options);
    await context.watch();

} else {
    await esbuild.build(options);
}

async function licenses() {
    const { dependencies } = JSON.parse(await readFile(join(here, 'package.json')));
    const texts = Object.entries(dependencies).map(async ([name, version]) =>
        `${name} ${version}\n\n${(await readFile(join(here, 'node_modules', name, 'LICENSE'), 'utf8')).trim()}\n`);
    return (await Promise.all(texts)).join('\n\n');
}
