export default { serverDir: "." };
