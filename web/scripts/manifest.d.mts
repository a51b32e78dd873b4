import type { CustomElementDeclaration, Package } from "custom-elements-manifest";

export function manifest(): Package;
export function elements(manifest: Package): CustomElementDeclaration[];
export function reference(manifest: Package): string;
export function types(manifest: Package): string;
