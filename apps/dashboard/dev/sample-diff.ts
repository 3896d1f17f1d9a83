/** What a task of the scenes changed: one file edited, one made. */
export const SAMPLE_DIFF = `diff --git a/README.md b/README.md
index 1111111..2222222 100644
--- a/README.md
+++ b/README.md
@@ -1,5 +1,7 @@
 # gateway
 
-A small service.
+A small service with users.
+
+See \`openapi.yaml\` for its API.
 
 ## Run
diff --git a/openapi.yaml b/openapi.yaml
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ b/openapi.yaml
@@ -0,0 +1,9 @@
+openapi: 3.1.0
+info:
+  title: gateway
+  version: 1.0.0
+paths:
+  /users:
+    get:
+      operationId: listUsers
+      summary: A page of users, newest first, by cursor
`;
