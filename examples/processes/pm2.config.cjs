// PM2, on all cores: pm2 start examples/processes/pm2.config.cjs
//
// Each instance has a registry and a follower of its own. `pm2 reload` starts new ones beside the old: give them the
// VERSION of their build, so that no tag of the old markup is confirmed.
module.exports = {
  apps: [{
    name: "site",
    script: `${__dirname}/node.ts`,
    exec_mode: "cluster",
    instances: Number(process.env.PROCESSES ?? 0),
  }],
};
