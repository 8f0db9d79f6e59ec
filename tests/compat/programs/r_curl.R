# R's curl package.
arguments <- commandArgs(TRUE)
library(curl)
handle <- new_handle(cainfo = Sys.getenv("CA"), http_version = if (Sys.getenv("VERSION") == "2") 3 else 2)
if (arguments[1] == "post") handle_setopt(handle, postfields = "{}")
cat(curl_fetch_memory(arguments[2], handle)$status_code, "\n")
