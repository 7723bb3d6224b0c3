"""What service channels (服务渠道) ask on behalf of whoever stands before them."""
