import { createApp } from 'vue'
import App from './App.vue'
import './theme.css'
import './style.css'
import './visit.css'

createApp(App).mount('#app')
