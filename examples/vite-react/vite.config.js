// The page and rowcast are one origin, as behind a proxy in production, so nothing has to be allowed.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const proxy = { "/api": process.env.ROWCAST_URL ?? "http://127.0.0.1:8080" };

export default defineConfig({ plugins: [react()], server: { proxy }, preview: { proxy } });
