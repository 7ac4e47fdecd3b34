-- wrk -s round-robin.lua URL -- N: /f0, /f1, … /f(N-1), and again.
local texts, at, count = {}, 0, 0

function init(args)
  count = tonumber(args[1])
  for i = 0, count - 1 do texts[i] = wrk.format("GET", "/f" .. i) end
end

function request()
  at = (at + 1) % count
  return texts[at]
end
