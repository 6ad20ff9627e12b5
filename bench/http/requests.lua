-- Conditional requests in turn, for wrk: each line of the file is a path and a tag.
function init(args)
  requests = {}
  for line in io.lines(args[1]) do
    local path, tag = line:match("^(%S+) (.*)$")
    requests[#requests + 1] = wrk.format("GET", path, { ["If-None-Match"] = tag })
  end
  at = 0
end

function request()
  at = at % #requests + 1
  return requests[at]
end
