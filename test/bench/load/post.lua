-- wrk -s post.lua URL -- BYTES: every request posts the same body of this size.
function init(args)
  local head = { ["content-type"] = "application/octet-stream" }
  request_text = wrk.format("POST", nil, head, string.rep("a", tonumber(args[1])))
end

function request()
  return request_text
end
