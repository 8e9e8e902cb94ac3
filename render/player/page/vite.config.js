// Builds ../dist/player.html: one file, whose only script and style are allowed by their hashes and nothing else is.
import { createHash } from "node:crypto";
import { defineConfig } from "vite";

const hash = (text) => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;

const inOneFile = {
  name: "in-one-file",
  enforce: "post",
  generateBundle(_options, bundle) {
    const files = Object.values(bundle);
    const page = files.find((file) => file.fileName === "index.html");
    const script = files.find((file) => file.type === "chunk").code.replaceAll("</script", "<\\/script");
    const style = String(files.find((file) => file.fileName.endsWith(".css")).source);
    const policy = [
      "default-src 'none'", `script-src ${hash(script)}`, `style-src ${hash(style)}`, "base-uri 'none'", "form-action 'none'",
    ].join("; ");
    const source = String(page.source)
      .replace(/<script type="module"[^>]*><\/script>/, "")
      .replace(/<link rel="stylesheet"[^>]*>/, "")
      .replace("<!--policy-->", () => `<meta http-equiv="Content-Security-Policy" content="${policy}">`)
      .replace("<!--style-->", () => `<style>${style}</style>`)
      .replace("<!--script-->", () => `<script type="module">${script}</script>`);
    for (const file of files) delete bundle[file.fileName];
    this.emitFile({ type: "asset", fileName: "player.html", source });
  },
};

export default defineConfig({
  base: "./",
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    chunkSizeWarningLimit: 2000,
    rollupOptions: { output: { inlineDynamicImports: true } },
  },
  plugins: [inOneFile],
});
